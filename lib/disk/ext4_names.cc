#include "disk/ext4_names.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/text.h"

namespace banger::disk {

namespace {

constexpr unsigned header = 8; // of an entry, before its name
constexpr uint32_t foreign =
    EXT4_INLINE_DATA_FL | EXT4_ENCRYPT_FL | EXT4_CASEFOLD_FL | EXT2_INDEX_FL;

unsigned length_for(size_t name) { return static_cast<unsigned>((header + name + 3) & ~size_t{3}); }

// The entries of a directory's block in order, up to where one makes no sense. The tail that holds
// the block's checksum is none.
struct Entries {
  ext2_filsys fs;
  std::string& block;
  unsigned offset = 0, length = 0;

  ext2_dir_entry* entry() const { return reinterpret_cast<ext2_dir_entry*>(block.data() + offset); }
  unsigned end() const {
    unsigned tail = ext2fs_has_feature_metadata_csum(fs->super) ? sizeof(ext2_dir_entry_tail) : 0;
    return fs->blocksize - tail;
  }
  bool next() {
    offset += length;
    if (offset + header > end()) return false;
    if (ext2fs_get_rec_len(fs, entry(), &length) != 0) return false;
    return length >= header && length % 4 == 0 && offset + length <= fs->blocksize &&
           header + name_length() <= length;
  }
  size_t name_length() const { return static_cast<size_t>(ext2fs_dirent_name_len(entry())); }
  std::string_view name() const { return {entry()->name, name_length()}; }
  bool used() const { return entry()->inode != 0; }
  void set_length(unsigned bytes) {
    ext2fs_set_rec_len(fs, bytes, entry());
    length = bytes;
  }
};

} // namespace

Names::Directory* Names::directory(ext2_ino_t dir, const std::string& shown) {
  if (auto known = directories_.find(dir); known != directories_.end()) return &known->second;
  if (!fs_.writable) return nullptr;
  ext2_inode_large inode = fs_.read_inode(dir, shown);
  if (inode.i_flags & foreign) return nullptr;
  Directory found;
  uint64_t blocks = EXT2_I_SIZE(&inode) / fs_.fs->blocksize;
  if (blocks == 0 || blocks > UINT32_MAX) return nullptr;
  found.blocks = static_cast<uint32_t>(blocks);
  for (uint32_t i = 0; i < found.blocks; i++) {
    if (place_of(dir, i, shown) == 0) return nullptr;
    read_block(dir, i, shown);
    Entries entries{fs_.fs, block_};
    while (entries.next())
      if (entries.used())
        found.names.try_emplace(std::string(entries.name()), entries.entry()->inode, i);
  }
  return &directories_.emplace(dir, std::move(found)).first->second;
}

blk64_t Names::place_of(ext2_ino_t dir, uint32_t block, const std::string& shown) {
  blk64_t place = 0;
  fs_.check(ext2fs_bmap2(fs_.fs, dir, nullptr, nullptr, 0, block, nullptr, &place), "read", shown);
  return place;
}

void Names::read_block(ext2_ino_t dir, uint32_t block, const std::string& shown) {
  block_.resize(fs_.fs->blocksize);
  fs_.check(ext2fs_read_dir_block4(fs_.fs, place_of(dir, block, shown), block_.data(), 0, dir),
            "read", shown);
}

void Names::write_block(ext2_ino_t dir, uint32_t block, const std::string& shown) {
  fs_.check(ext2fs_write_dir_block4(fs_.fs, place_of(dir, block, shown), block_.data(), 0, dir),
            "write", shown);
}

ext2_ino_t Names::find(ext2_ino_t dir, const std::string& name, const std::string& shown) {
  if (Directory* d = directory(dir, shown)) {
    auto known = d->names.find(name);
    return known == d->names.end() ? 0 : known->second.inode;
  }
  ext2_ino_t inode = 0;
  errcode_t code =
      ext2fs_lookup(fs_.fs, dir, name.data(), static_cast<int>(name.size()), nullptr, &inode);
  if (code == EXT2_ET_FILE_NOT_FOUND) return 0;
  fs_.check(code, "look up", shown);
  return inode;
}

bool Names::put(const std::string& name, ext2_ino_t inode, int type) {
  unsigned wanted = length_for(name.size());
  Entries entries{fs_.fs, block_};
  while (entries.next()) {
    unsigned own = entries.used() ? length_for(entries.name_length()) : 0;
    if (entries.length < own + wanted) continue;
    unsigned rest = entries.length - own;
    if (own > 0) {
      entries.set_length(own);
      entries.offset += own;
    }
    entries.set_length(rest);
    ext2_dir_entry* entry = entries.entry();
    entry->inode = inode;
    ext2fs_dirent_set_name_len(entry, static_cast<int>(name.size()));
    ext2fs_dirent_set_file_type(entry, ext2fs_has_feature_filetype(fs_.fs->super) ? type : 0);
    std::memcpy(entry->name, name.data(), name.size());
    return true;
  }
  return false;
}

void Names::append_block(ext2_ino_t dir, Directory& directory, const std::string& shown) {
  ext2_inode_large inode = fs_.read_inode(dir, shown);
  auto* plain = reinterpret_cast<ext2_inode*>(&inode);
  blk64_t place = 0;
  fs_.check(
      ext2fs_bmap2(fs_.fs, dir, plain, nullptr, BMAP_ALLOC, directory.blocks, nullptr, &place),
      "make", shown);
  char* empty = nullptr;
  fs_.check(ext2fs_new_dir_block(fs_.fs, 0, 0, &empty), "make", shown);
  errcode_t code = ext2fs_write_dir_block4(fs_.fs, place, empty, 0, dir);
  block_.assign(empty, fs_.fs->blocksize);
  ext2fs_free_mem(&empty);
  fs_.check(code, "make", shown);
  directory.blocks++;
  fs_.check(ext2fs_inode_size_set(fs_.fs, plain,
                                  static_cast<ext2_off64_t>(directory.blocks) * fs_.fs->blocksize),
            "make", shown);
  fs_.write_inode(dir, inode, shown);
}

void Names::add(ext2_ino_t dir, const std::string& name, ext2_ino_t inode, int type,
                const std::string& shown) {
  Directory* d = directory(dir, shown);
  if (!d) {
    errcode_t code = ext2fs_link(fs_.fs, dir, name.c_str(), inode, type);
    if (code == EXT2_ET_DIR_NO_SPACE) {
      fs_.check(ext2fs_expand_dir(fs_.fs, dir), "make", shown);
      code = ext2fs_link(fs_.fs, dir, name.c_str(), inode, type);
    }
    return fs_.check(code, "make", shown);
  }
  for (auto block : {d->roomy, std::optional(d->blocks - 1)}) {
    if (!block) continue;
    read_block(dir, *block, shown);
    if (!put(name, inode, type)) continue;
    write_block(dir, *block, shown);
    d->names[name] = {inode, *block};
    return;
  }
  d->roomy.reset();
  append_block(dir, *d, shown);
  if (!put(name, inode, type)) fs_.check(EXT2_ET_DIR_NO_SPACE, "make", shown);
  write_block(dir, d->blocks - 1, shown);
  d->names[name] = {inode, d->blocks - 1};
}

void Names::remove(ext2_ino_t dir, const std::string& name, ext2_ino_t inode,
                   const std::string& shown) {
  Directory* d = directory(dir, shown);
  if (!d) return fs_.check(ext2fs_unlink(fs_.fs, dir, name.c_str(), inode, 0), "replace", shown);
  uint32_t block = d->names.at(name).block;
  read_block(dir, block, shown);
  Entries entries{fs_.fs, block_};
  std::optional<Entries> before;
  while (entries.next()) {
    if (entries.used() && entries.name() == name) {
      // The first of a block has none before it that could take its room.
      if (before)
        before->set_length(before->length + entries.length);
      else
        entries.entry()->inode = 0;
      write_block(dir, block, shown);
      d->names.erase(name);
      d->roomy = block;
      return;
    }
    before.emplace(entries);
  }
  fs_.check(EXT2_ET_DIR_CORRUPTED, "replace", shown);
}

} // namespace banger::disk

#include "disk/ext4_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <sys/stat.h>

#include "core/error.h"
#include "core/failpoint.h"
#include "core/text.h"
#include "disk/ext4_files_impl.h"

namespace banger::disk {

namespace {

constexpr int most_followed = 40; // links that one path may lead over, as Linux counts

} // namespace

Ext4Handle::Ext4Handle(const std::string& file, Ext4Files::Mode mode)
    : Ext4Raw{file, nullptr, mode == Ext4Files::Mode::write} {
  static const bool named_errors = (initialize_ext2_error_table(), true);
  static_cast<void>(named_errors);
  int flags = EXT2_FLAG_64BITS | (writable ? EXT2_FLAG_RW : 0);
  if (writable) failpoint(Point::write);
  check(ext2fs_open2(path.c_str(), nullptr, flags, 0, 0, unix_io_manager, &fs), "open", "/");
  if (!writable) return;
  if (ext2fs_has_feature_journal_needs_recovery(fs->super)) {
    ext2fs_free(std::exchange(fs, nullptr));
    throw failed("cannot change '{}': it was not unmounted cleanly", path)
        .hint("e2fsck -fp mends it");
  }
  errcode_t code = ext2fs_read_bitmaps(fs);
  if (code) {
    ext2fs_free(std::exchange(fs, nullptr));
    check(code, "read the bitmaps of", "/");
  }
}

Ext4Handle::~Ext4Handle() {
  if (!fs) return;
  // Nothing more is written: without finish() the file is worth nothing.
  fs->flags &= ~EXT2_FLAG_DIRTY;
  ext2fs_free(fs);
}

ext2_ino_t Ext4Handle::find(const std::string& at, bool follow, Missing missing) {
  std::vector<ext2_ino_t> above{EXT2_ROOT_INO}; // the way from the root to here
  std::vector<std::string> todo{at};            // the rest of it: the path, and of links on it
  std::vector<size_t> offsets{0};
  int links = 0;
  while (!todo.empty()) {
    const std::string& path_now = todo.back();
    size_t& offset = offsets.back();
    offset = std::min(path_now.find_first_not_of('/', offset), path_now.size());
    if (offset == path_now.size()) {
      todo.pop_back();
      offsets.pop_back();
      continue;
    }
    size_t end = std::min(path_now.find('/', offset), path_now.size());
    std::string name = path_now.substr(offset, end - offset);
    offset = end;
    if (!S_ISDIR(read_inode(above.back(), at).i_mode)) return 0;
    if (name == ".") continue;
    if (name == "..") {
      if (above.size() > 1) above.pop_back();
      continue;
    }
    ext2_ino_t inode = names.find(above.back(), name, at);
    bool own = todo.size() == 1;
    if (!inode) {
      if (missing == Missing::stay || !own) return 0;
      std::string made = path_now.substr(0, end);
      inode = make_dir_inode({above.back(), name}, made);
      set_meta(inode, FileMeta{S_IFDIR | 0755}, made);
    }
    bool last = own && path_now.find_first_not_of('/', end) == std::string::npos;
    if (S_ISLNK(read_inode(inode, at).i_mode) && (follow || !last)) {
      if (++links > most_followed) return 0;
      std::string target = link_target(*this, inode, at);
      if (target.starts_with('/')) above.resize(1);
      todo.push_back(std::move(target));
      offsets.push_back(0);
      continue;
    }
    above.push_back(inode);
  }
  return above.back();
}

FileNode Ext4Handle::node(ext2_ino_t inode, std::string_view shown) {
  ext2_inode_large content = read_inode(inode, shown);
  FileNode n;
  n.inode = inode;
  n.size = static_cast<int64_t>(EXT2_I_SIZE(&content));
  n.links = content.i_links_count;
  n.meta.mode = content.i_mode;
  n.meta.uid = inode_uid(content);
  n.meta.gid = inode_gid(content);
  n.meta.mtime = static_cast<int32_t>(content.i_mtime);
  if (EXT2_INODE_SIZE(fs->super) > EXT2_GOOD_OLD_INODE_SIZE) {
    n.meta.mtime += int64_t{content.i_mtime_extra & 3} << 32;
    n.meta.mtime_ns = content.i_mtime_extra >> 2;
  }
  return n;
}

std::map<std::string, std::string> Ext4Handle::attributes(ext2_ino_t inode,
                                                          std::string_view shown) {
  std::map<std::string, std::string> found;
  ext2_xattr_handle* handle = nullptr;
  check(ext2fs_xattrs_open(fs, inode, &handle), "read the attributes of", shown);
  auto take = [](char* name, char* value, size_t size, void* to) {
    // The content of a small file may be kept as an attribute; that is no attribute.
    if (std::string_view(name) != "system.data")
      static_cast<std::map<std::string, std::string>*>(to)->emplace(name, std::string(value, size));
    return 0;
  };
  errcode_t code = ext2fs_xattrs_read(handle);
  if (!code) code = ext2fs_xattrs_iterate(handle, take, &found);
  // Lists of access lie on the disk in a form of its own.
  for (const char* name : {access_acl, default_acl}) {
    auto list = found.find(name);
    void* value = nullptr;
    size_t size = 0;
    if (code || list == found.end()) continue;
    code = ext2fs_xattr_get(handle, name, &value, &size);
    if (!code) list->second.assign(static_cast<const char*>(value), size);
    ext2fs_free_mem(&value);
  }
  ext2fs_xattrs_close(&handle);
  check(code, "read the attributes of", shown);
  return found;
}

ChunkSource content_of(Ext4Handle& from, ext2_ino_t inode, std::string shown) {
  struct Reader {
    Ext4Handle& from;
    std::string shown;
    ext2_file_t file = nullptr;
    int64_t offset = 0;
    std::array<char, size_t{1} << 16> buffer;
    Reader(Ext4Handle& i, std::string s) : from(i), shown(std::move(s)) {}
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    ~Reader() {
      if (file) ext2fs_file_close(file);
    }
  };
  auto reader = std::make_shared<Reader>(from, std::move(shown));
  from.check(ext2fs_file_open(from.fs, inode, 0, &reader->file), "open", reader->shown);
  return [reader]() -> std::optional<Chunk> {
    unsigned got = 0;
    reader->from.check(ext2fs_file_read(reader->file, reader->buffer.data(),
                                        static_cast<unsigned>(reader->buffer.size()), &got),
                       "read", reader->shown);
    if (got == 0) return {};
    Chunk chunk{reader->offset, {reader->buffer.data(), got}};
    reader->offset += got;
    return chunk;
  };
}

std::string link_target(Ext4Handle& from, ext2_ino_t inode, const std::string& shown) {
  ext2_inode_large content = from.read_inode(inode, shown);
  auto size = static_cast<size_t>(EXT2_I_SIZE(&content));
  if (ext2fs_is_fast_symlink(reinterpret_cast<ext2_inode*>(&content))) {
    size = std::min(size, sizeof content.i_block - 1);
    return std::string(reinterpret_cast<const char*>(content.i_block), size);
  }
  std::string target;
  auto source = content_of(from, inode, shown);
  while (auto chunk = source()) target += chunk->data;
  return target;
}

Ext4Files::Ext4Files(const std::string& path, Mode mode)
    : impl_(std::make_unique<Ext4Handle>(path, mode)) {}
Ext4Files::Ext4Files(Ext4Files&&) noexcept = default;
Ext4Files::~Ext4Files() = default;

std::optional<FileNode> Ext4Files::find(const std::string& path) {
  ext2_ino_t inode = impl_->find(path, true);
  if (!inode) return {};
  return impl_->node(inode, path);
}

std::optional<FileNode> Ext4Files::find_link(const std::string& path) {
  ext2_ino_t inode = impl_->find(path, false);
  if (!inode) return {};
  return impl_->node(inode, path);
}

std::string Ext4Files::read(const std::string& path, size_t max) {
  auto node = find(path);
  if (!node) throw failed("cannot read '{}' in '{}': it is not there", path, impl_->path);
  if (!S_ISREG(node->meta.mode))
    throw failed("cannot read '{}' in '{}': it is no file", path, impl_->path);
  if (node->size > static_cast<int64_t>(max))
    throw failed("cannot read '{}' in '{}': it is larger than {} bytes", path, impl_->path, max);
  std::string out;
  auto source = content_of(*impl_, node->inode, path);
  while (auto chunk = source()) out += chunk->data;
  return out;
}

std::map<std::string, std::string> Ext4Files::attributes(const std::string& path) {
  ext2_ino_t inode = impl_->find(path, false);
  if (!inode)
    throw failed("cannot read '{}' in '{}': it is not there", shown_path(path), impl_->path);
  return impl_->attributes(inode, path);
}

std::vector<std::string> Ext4Files::list(const std::string& dir) {
  std::vector<std::string> names;
  ext2_ino_t inode = impl_->find(dir, true);
  if (!inode) return names;
  for (const auto& entry : entries_of(*impl_, inode, dir)) names.push_back(entry.name);
  std::sort(names.begin(), names.end());
  return names;
}

int64_t Ext4Files::used() const {
  auto blocks = ext2fs_blocks_count(impl_->fs->super) - ext2fs_free_blocks_count(impl_->fs->super);
  return static_cast<int64_t>(blocks) * impl_->fs->blocksize;
}

int64_t Ext4Files::inodes_used() const {
  return int64_t{impl_->fs->super->s_inodes_count} - impl_->fs->super->s_free_inodes_count;
}

void Ext4Files::set_time(int64_t now) { impl_->fs->now = static_cast<time_t>(now); }

void Ext4Files::finish() {
  failpoint(Point::write);
  impl_->check(ext2fs_close_free(&impl_->fs), "write", "/");
}

} // namespace banger::disk

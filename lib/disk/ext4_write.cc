// The writing half of Ext4Files: inodes, names, content.
#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <set>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "core/error.h"
#include "disk/ext4_files_impl.h"

namespace banger::disk {

namespace {

constexpr uint64_t most_links = 65000; // the kernel's EXT4_LINK_MAX
constexpr int64_t earliest = INT32_MIN, latest = (int64_t{3} << 32) + INT32_MAX;

int entry_type(mode_t mode) {
  if (S_ISDIR(mode)) return EXT2_FT_DIR;
  if (S_ISLNK(mode)) return EXT2_FT_SYMLINK;
  if (S_ISCHR(mode)) return EXT2_FT_CHRDEV;
  if (S_ISBLK(mode)) return EXT2_FT_BLKDEV;
  if (S_ISFIFO(mode)) return EXT2_FT_FIFO;
  if (S_ISSOCK(mode)) return EXT2_FT_SOCK;
  return EXT2_FT_REG_FILE;
}

__u16 low16(uint32_t number) { return static_cast<__u16>(number & 0xffff); }

ext2_inode* plain(ext2_inode_large& inode) { return reinterpret_cast<ext2_inode*>(&inode); }

bool is_root(std::string_view path) {
  return path.find_first_not_of('/') == path.npos || path == "." || path == "./";
}

bool is_zero(std::string_view data) {
  return data.empty() ||
         (data[0] == 0 && memcmp(data.data(), data.data() + 1, data.size() - 1) == 0);
}

} // namespace

std::vector<DirEntry> entries_of(Ext4Handle& fs, ext2_ino_t dir, const std::string& shown) {
  std::vector<DirEntry> entries;
  auto take = [](ext2_ino_t, int, ext2_dir_entry* entry, int, int, char*, void* to) {
    std::string name(entry->name, static_cast<size_t>(ext2fs_dirent_name_len(entry)));
    // A damaged name must not lead anywhere when it is used as a path.
    if (name != "." && name != ".." && name.find('/') == std::string::npos && !name.empty())
      static_cast<std::vector<DirEntry>*>(to)->push_back({std::move(name), entry->inode});
    return 0;
  };
  fs.check(ext2fs_dir_iterate2(fs.fs, dir, 0, nullptr, take, &entries), "list", shown);
  return entries;
}

Ext4Handle::Place Ext4Handle::place_of(const std::string& at) {
  auto cannot = [&](std::string_view why) {
    return failed("cannot make '{}' in '{}': {}", shown_path(at), path, why);
  };
  if (at.size() > longest_path)
    throw cannot(fmt::format("its path is longer than {} bytes", longest_path));
  std::string plain = at;
  while (plain.ends_with('/') || plain.ends_with("/.")) plain.pop_back();
  size_t slash = plain.rfind('/');
  Place place{EXT2_ROOT_INO, plain.substr(slash + 1)}; // npos + 1 is 0
  if (place.name.empty() || place.name == "." || place.name == "..") throw cannot("it is no name");
  if (place.name.size() > EXT2_NAME_LEN)
    throw cannot(fmt::format("its name is longer than {} bytes", EXT2_NAME_LEN));
  if (slash == std::string::npos || slash == 0) return place;
  std::string parent = plain.substr(0, slash);
  if (parent == last_parent && last_parent_inode) {
    place.dir = last_parent_inode;
    return place;
  }
  place.dir = find(parent, true, Missing::make);
  // A file, or a link that dangles or leads nowhere, stands in the way.
  if (!place.dir || !S_ISDIR(read_inode(place.dir, parent).i_mode))
    throw cannot(fmt::format("'{}' is no directory", shown_path(parent)));
  last_parent = parent;
  last_parent_inode = place.dir;
  return place;
}

void Ext4Handle::drop_link(ext2_ino_t inode, std::string_view shown) {
  ext2_inode_large content = read_inode(inode, shown);
  if (--content.i_links_count > 0) return write_inode(inode, content, shown);
  // One that is less than the number of inodes would be a link of the list of orphans.
  content.i_dtime = static_cast<__u32>(fs->now ? fs->now : ::time(nullptr));
  write_inode(inode, content, shown);
  check(ext2fs_free_ext_attr(fs, inode, &content), "free", shown);
  if (ext2fs_inode_has_valid_blocks2(fs, plain(content)))
    check(ext2fs_punch(fs, inode, plain(content), nullptr, 0, ~blk64_t{0}), "free", shown);
  ext2fs_inode_alloc_stats2(fs, inode, -1, 0);
}

void Ext4Handle::clear(const Place& place, const std::string& shown) {
  ext2_ino_t there = names.find(place.dir, place.name, shown);
  if (!there) return;
  mode_t mode = read_inode(there, shown).i_mode;
  if (S_ISDIR(mode))
    throw failed("cannot make '{}' in '{}': a directory is there", shown_path(shown), path);
  names.remove(place.dir, place.name, there, shown);
  drop_link(there, shown);
  // Paths that led over it lead elsewhere now.
  if (S_ISLNK(mode)) last_parent_inode = 0;
}

ext2_ino_t Ext4Handle::new_inode(ext2_ino_t dir, mode_t mode, std::string_view shown) {
  ext2_ino_t inode = 0;
  check(ext2fs_new_inode(fs, dir, static_cast<int>(mode), nullptr, &inode), "make", shown);
  return inode;
}

ext2_ino_t Ext4Handle::make_dir_inode(const Place& place, const std::string& shown) {
  if (read_inode(place.dir, shown).i_links_count >= most_links)
    throw failed("cannot make '{}' in '{}': more than {} directories beside it", shown_path(shown),
                 path, most_links);
  ext2_ino_t inode = new_inode(place.dir, S_IFDIR | 0755, shown);
  check(ext2fs_mkdir(fs, place.dir, inode, nullptr), "make", shown);
  names.add(place.dir, place.name, inode, EXT2_FT_DIR, shown);
  return inode;
}

ext2_ino_t Ext4Handle::make_inode(const Place& place, const FileMeta& meta, uint32_t device,
                                  const std::string& shown) {
  ext2_ino_t inode = new_inode(place.dir, meta.mode, shown);
  names.add(place.dir, place.name, inode, entry_type(meta.mode), shown);
  ext2fs_inode_alloc_stats2(fs, inode, +1, 0);
  ext2_inode_large content{};
  content.i_mode = static_cast<__u16>(meta.mode);
  content.i_links_count = 1;
  if (S_ISCHR(meta.mode) || S_ISBLK(meta.mode)) {
    // The kernel's two forms of a device number: small ones in the first word.
    unsigned major = device >> 20, minor = device & 0xfffff;
    if (major < 256 && minor < 256)
      content.i_block[0] = major << 8 | minor;
    else
      content.i_block[1] = (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
  }
  if (S_ISREG(meta.mode) && ext2fs_has_feature_extents(fs->super)) {
    ext2_extent_handle_t handle = nullptr;
    check(ext2fs_extent_open2(fs, inode, plain(content), &handle), "make", shown);
    ext2fs_extent_free(handle);
  }
  check(ext2fs_write_new_inode(fs, inode, plain(content)), "make", shown);
  return inode;
}

void Ext4Handle::write_content(ext2_ino_t inode, int64_t size, const ChunkSource& source,
                               std::string_view shown) {
  ext2_file_t file = nullptr;
  check(ext2fs_file_open(fs, inode, EXT2_FILE_WRITE, &file), "open", shown);
  struct Close {
    ext2_file_t& file;
    ~Close() {
      if (file) ext2fs_file_close(file);
    }
  } close{file};
  const int64_t block = fs->blocksize;
  while (auto chunk = source()) {
    int64_t at = chunk->offset;
    std::string_view rest = chunk->data;
    while (!rest.empty()) {
      // To the next block's end, then whole blocks; those of zeros stay holes.
      auto n = std::min<int64_t>(static_cast<int64_t>(rest.size()), block - at % block);
      bool zero = is_zero(rest.substr(0, static_cast<size_t>(n)));
      while (n < static_cast<int64_t>(rest.size())) {
        auto more = std::min<int64_t>(block, static_cast<int64_t>(rest.size()) - n);
        if (is_zero(rest.substr(static_cast<size_t>(n), static_cast<size_t>(more))) != zero) break;
        n += more;
      }
      if (!zero) {
        unsigned done = 0;
        check(ext2fs_file_llseek(file, static_cast<__u64>(at), EXT2_SEEK_SET, nullptr), "write",
              shown);
        check(ext2fs_file_write(file, rest.data(), static_cast<unsigned>(n), &done), "write",
              shown);
      }
      rest.remove_prefix(static_cast<size_t>(n));
      at += n;
    }
    size = std::max(size, at);
  }
  check(ext2fs_file_set_size2(file, static_cast<ext2_off64_t>(size)), "write", shown);
  check(ext2fs_file_close(std::exchange(file, nullptr)), "write", shown);
}

void Ext4Handle::set_meta(ext2_ino_t inode, const FileMeta& meta, std::string_view shown) {
  ext2_inode_large content = read_inode(inode, shown);
  content.i_mode = static_cast<__u16>((content.i_mode & S_IFMT) | (meta.mode & 07777));
  content.i_uid = low16(meta.uid);
  ext2fs_set_i_uid_high(content, low16(meta.uid >> 16));
  content.i_gid = low16(meta.gid);
  ext2fs_set_i_gid_high(content, low16(meta.gid >> 16));
  int64_t time = std::clamp(meta.mtime, earliest, latest);
  auto low = static_cast<__u32>(time);
  content.i_mtime = content.i_atime = content.i_ctime = low;
  if (EXT2_INODE_SIZE(fs->super) > EXT2_GOOD_OLD_INODE_SIZE) {
    auto epoch = static_cast<__u32>((time - static_cast<int32_t>(low)) >> 32) & 3;
    content.i_mtime_extra = content.i_atime_extra = content.i_ctime_extra = epoch | meta.mtime_ns
                                                                                        << 2;
  }
  write_inode(inode, content, shown);
  set_attributes(inode, meta.attributes, shown);
}

void Ext4Handle::set_attributes(ext2_ino_t inode,
                                const std::map<std::string, std::string>& attributes,
                                std::string_view shown) {
  if (attributes.empty()) return;
  ext2_xattr_handle* handle = nullptr;
  check(ext2fs_xattrs_open(fs, inode, &handle), "set the attributes of", shown);
  errcode_t code = ext2fs_xattrs_read(handle);
  for (const auto& [name, value] : attributes)
    if (!code) code = ext2fs_xattr_set(handle, name.c_str(), value.data(), value.size());
  ext2fs_xattrs_close(&handle);
  check(code, "set the attributes of", shown);
}

void Ext4Files::make_dir(const std::string& path, const FileMeta& meta) {
  if (is_root(path)) return impl_->set_meta(EXT2_ROOT_INO, meta, path);
  auto place = impl_->place_of(path);
  ext2_ino_t inode = impl_->names.find(place.dir, place.name, path);
  if (inode && !S_ISDIR(impl_->read_inode(inode, path).i_mode)) {
    // A link to a directory serves as one: /lib of a root whose files lie in /usr.
    auto leads_to = find(path);
    if (leads_to && S_ISDIR(leads_to->meta.mode)) return;
    impl_->clear(place, path);
    inode = 0;
  }
  if (!inode) inode = impl_->make_dir_inode(place, path);
  impl_->set_meta(inode, meta, path);
}

void Ext4Files::make_file(const std::string& path, const FileMeta& meta, int64_t size,
                          const ChunkSource& source) {
  auto place = impl_->place_of(path);
  impl_->clear(place, path);
  FileMeta as_file = meta;
  as_file.mode = S_IFREG | (meta.mode & 07777);
  ext2_ino_t inode = impl_->make_inode(place, as_file, 0, path);
  impl_->write_content(inode, size, source, path);
  impl_->set_meta(inode, as_file, path);
}

void Ext4Files::make_file(const std::string& path, const FileMeta& meta, std::string_view content) {
  bool given = false;
  make_file(path, meta, 0, [&]() -> std::optional<Chunk> {
    if (std::exchange(given, true)) return {};
    return Chunk{0, content};
  });
}

void Ext4Files::make_link(const std::string& path, const FileMeta& meta,
                          const std::string& target) {
  auto place = impl_->place_of(path);
  impl_->clear(place, path);
  if (target.empty() || target.size() >= impl_->fs->blocksize)
    throw failed("cannot make '{}' in '{}': a link's target is from 1 to {} bytes",
                 shown_path(path), impl_->path, impl_->fs->blocksize - 1);
  ext2_ino_t inode = impl_->new_inode(place.dir, S_IFLNK | 0777, path);
  impl_->check(ext2fs_symlink(impl_->fs, place.dir, inode, nullptr, target.c_str()), "make", path);
  impl_->names.add(place.dir, place.name, inode, EXT2_FT_SYMLINK, path);
  FileMeta as_link = meta;
  as_link.mode = S_IFLNK | 0777;
  impl_->set_meta(inode, as_link, path);
}

void Ext4Files::make_hard_link(const std::string& path, const std::string& existing) {
  ext2_ino_t inode = impl_->find(existing, false);
  auto place = impl_->place_of(path);
  if (!inode)
    throw failed("cannot make '{}' in '{}': '{}', which it is another name of, is not there",
                 shown_path(path), impl_->path, shown_path(existing));
  if (impl_->names.find(place.dir, place.name, path) == inode) return;
  ext2_inode_large content = impl_->read_inode(inode, existing);
  if (S_ISDIR(content.i_mode) || content.i_links_count >= most_links)
    throw failed("cannot make '{}' in '{}': '{}' can have no more names (a file has at most {})",
                 shown_path(path), impl_->path, shown_path(existing), most_links);
  impl_->clear(place, path);
  impl_->names.add(place.dir, place.name, inode, entry_type(content.i_mode), path);
  content = impl_->read_inode(inode, existing);
  content.i_links_count++;
  impl_->write_inode(inode, content, path);
}

void Ext4Files::make_node(const std::string& path, const FileMeta& meta, unsigned major,
                          unsigned minor) {
  auto place = impl_->place_of(path);
  impl_->clear(place, path);
  ext2_ino_t inode = impl_->make_inode(place, meta, major << 20 | (minor & 0xfffff), path);
  impl_->set_meta(inode, meta, path);
}

void Ext4Files::make(const TreeEntry& entry, const ChunkSource& content) {
  if (entry.hard_link)
    make_hard_link(entry.path, entry.target);
  else if (S_ISDIR(entry.mode))
    make_dir(entry.path, entry);
  else if (S_ISREG(entry.mode))
    make_file(entry.path, entry, entry.size, content);
  else if (S_ISLNK(entry.mode))
    make_link(entry.path, entry, entry.target);
  else
    make_node(entry.path, entry, entry.major, entry.minor);
}

void Ext4Files::set_attributes(const std::string& path,
                               const std::map<std::string, std::string>& attributes) {
  ext2_ino_t inode = impl_->find(path, false);
  if (!inode)
    throw failed("cannot change '{}' in '{}': it is not there", shown_path(path), impl_->path);
  impl_->set_attributes(inode, attributes, path);
}

void Ext4Files::remove_file(const std::string& path) {
  if (!impl_->find(path, false)) return;
  impl_->clear(impl_->place_of(path), path);
}

void Ext4Files::copy_tree(Ext4Files& from, const std::string& path) {
  Ext4Handle& source = *from.impl_;
  ext2_ino_t top = source.find(path, true);
  if (!top || !S_ISDIR(source.read_inode(top, path).i_mode))
    throw failed("cannot copy '{}' of '{}': it is no directory", path, source.path);
  auto meta_of = [&](ext2_ino_t inode, const std::string& at) {
    FileMeta meta = source.node(inode, at).meta;
    meta.attributes = source.attributes(inode, at);
    return meta;
  };
  std::map<ext2_ino_t, std::string> names; // of files with several
  std::set<ext2_ino_t> seen;               // a damaged tree may be a ring
  std::vector<std::pair<ext2_ino_t, std::string>> todo{{top, ""}};
  std::vector<std::pair<std::string, FileMeta>> dirs;
  while (!todo.empty()) {
    auto [dir, at] = std::move(todo.back());
    todo.pop_back();
    if (!seen.insert(dir).second)
      throw failed("cannot copy '{}' of '{}': a directory comes twice", path, source.path);
    dirs.emplace_back(at, meta_of(dir, at));
    make_dir(at, dirs.back().second);
    for (const DirEntry& entry : entries_of(source, dir, at)) {
      std::string name = at.empty() ? entry.name : at + "/" + entry.name;
      FileMeta meta = meta_of(entry.inode, name);
      auto known = names.find(entry.inode);
      if (S_ISDIR(meta.mode)) {
        // Both have mke2fs's own at their tops.
        if (name != "lost+found") todo.emplace_back(entry.inode, name);
      } else if (known != names.end()) {
        make_hard_link(name, known->second);
      } else {
        FileNode node = source.node(entry.inode, name);
        if (node.links > 1) names.emplace(entry.inode, name);
        if (S_ISREG(meta.mode)) {
          make_file(name, meta, node.size, content_of(source, entry.inode, name));
        } else if (S_ISLNK(meta.mode)) {
          make_link(name, meta, link_target(source, entry.inode, name));
        } else {
          ext2_inode_large inode = source.read_inode(entry.inode, name);
          unsigned old = inode.i_block[0], wide = inode.i_block[1];
          if (old)
            make_node(name, meta, old >> 8 & 0xff, old & 0xff);
          else
            make_node(name, meta, (wide & 0xfff00) >> 8, (wide & 0xff) | (wide >> 12 & 0xfff00));
        }
      }
    }
  }
  // Again, deepest first: making what is in them has changed their times.
  for (auto it = dirs.rbegin(); it != dirs.rend(); ++it) make_dir(it->first, it->second);
}

} // namespace banger::disk

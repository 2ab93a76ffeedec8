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

// libext2fs's own error codes begin far above every errno.
constexpr errcode_t most_errno = 4095;

// libext2fs takes an empty component for the end of the path.
std::string absolute(const std::string& path) {
  std::string out;
  for (const std::string& part : split(path, '/'))
    if (!part.empty()) out += "/" + part;
  return out.empty() ? "/" : out;
}

} // namespace

Ext4Handle::Ext4Handle(const std::string& file, Ext4Files::Mode mode)
    : path(file), writable(mode == Ext4Files::Mode::write) {
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

void Ext4Handle::check(errcode_t code, std::string_view doing, std::string_view subject) const {
  if (!code) return;
  std::string shown = escape_for_terminal(subject);
  if (code == EXT2_ET_BLOCK_ALLOC_FAIL || code == EXT2_ET_INODE_ALLOC_FAIL)
    throw Ext4Full(Code::failed, fmt::format("cannot {} '{}' in '{}': the file system is full",
                                             doing, shown, path));
  // Whatever was asked for, it is a write from the library's cache that failed.
  if (code == ENOSPC) throw sys_error(ENOSPC, "cannot write '{}'", path);
  if (code > 0 && code <= most_errno)
    throw sys_error(static_cast<int>(code), "cannot {} '{}' in '{}'", doing, shown, path);
  throw failed("cannot {} '{}' in '{}': {}", doing, shown, path, error_message(code));
}

ext2_ino_t Ext4Handle::look_up(ext2_ino_t dir, const std::string& name, const std::string& shown) {
  ext2_ino_t inode = 0;
  errcode_t code =
      ext2fs_lookup(fs, dir, name.data(), static_cast<int>(name.size()), nullptr, &inode);
  if (code == EXT2_ET_FILE_NOT_FOUND) return 0;
  check(code, "look up", shown);
  return inode;
}

ext2_ino_t Ext4Handle::find(const std::string& at, bool follow) {
  ext2_ino_t inode = 0;
  auto walk = follow ? ext2fs_namei_follow : ext2fs_namei;
  errcode_t code = walk(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, absolute(at).c_str(), &inode);
  if (code == EXT2_ET_FILE_NOT_FOUND || code == EXT2_ET_NO_DIRECTORY ||
      code == EXT2_ET_SYMLINK_LOOP)
    return 0;
  check(code, "look up", at);
  return inode;
}

ext2_inode_large Ext4Handle::read_inode(ext2_ino_t inode, std::string_view shown) {
  ext2_inode_large content{};
  check(ext2fs_read_inode_full(fs, inode, reinterpret_cast<ext2_inode*>(&content), sizeof content),
        "read", shown);
  return content;
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
  ext2fs_xattrs_close(&handle);
  check(code, "read the attributes of", shown);
  return found;
}

FileSource content_of(Ext4Handle& from, ext2_ino_t inode, std::string shown) {
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
  return [reader]() -> std::optional<FileChunk> {
    unsigned got = 0;
    reader->from.check(ext2fs_file_read(reader->file, reader->buffer.data(),
                                        static_cast<unsigned>(reader->buffer.size()), &got),
                       "read", reader->shown);
    if (got == 0) return {};
    FileChunk chunk{reader->offset, {reader->buffer.data(), got}};
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

void Ext4Files::finish() {
  failpoint(Point::write);
  impl_->check(ext2fs_close_free(&impl_->fs), "write", "/");
}

} // namespace banger::disk

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/error.h"
#include "guest/tree/tree_disk.h"
#include "sys/at.h"
#include "sys/file.h"

namespace banger::guest {

namespace {

// Where the file has data; all of it where its file system does not tell.
std::vector<Extent> extents_of(int fd, int64_t size) {
  std::vector<Extent> extents;
  if (size == 0) return extents;
  for (off_t at = 0; at < size && extents.size() <= most_extents;) {
    off_t data = ::lseek(fd, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) return extents;
    if (data < 0) return {{0, size}};
    if (data >= size) return extents;
    off_t hole = ::lseek(fd, data, SEEK_HOLE);
    if (hole < 0 || hole > size) hole = size;
    extents.push_back({data, hole - data});
    at = hole;
  }
  if (extents.size() > most_extents) return {{0, size}};
  return extents;
}

// A file system whose files are what the kernel tells.
bool is_of_kernel(int dir) {
  struct statfs fs {};
  if (::fstatfs(dir, &fs) != 0) return false;
  static constexpr std::array<decltype(fs.f_type), 15> theirs{
      PROC_SUPER_MAGIC, SYSFS_MAGIC,    CGROUP_SUPER_MAGIC,  CGROUP2_SUPER_MAGIC,
      DEBUGFS_MAGIC,    TRACEFS_MAGIC,  SECURITYFS_MAGIC,    0x62656570 /* configfs */,
      BPF_FS_MAGIC,     PSTOREFS_MAGIC, BINFMTFS_MAGIC,      0x65735543 /* fusectl */,
      SELINUX_MAGIC,    SMACK_MAGIC,    RDTGROUP_SUPER_MAGIC};
  return std::ranges::find(theirs, fs.f_type) != theirs.end();
}

} // namespace

DiskSource::DiskSource(std::string path, bool follow) : root_(std::move(path)), follow_(follow) {}

std::string DiskSource::shown(const std::string& path) const {
  return path.empty() ? root_ : root_ + "/" + path;
}

std::optional<TreeEntry> DiskSource::next() {
  file_.reset();
  spool_.reset();
  if (!begun_) return begin();
  while (!levels_.empty()) {
    Level& level = levels_.back();
    if (level.next == level.names.size()) {
      levels_.pop_back();
      dir_.reset();
      continue;
    }
    std::string name = std::move(level.names[level.next++]);
    std::string path = level.path.empty() ? name : level.path + "/" + name;
    if (path.size() > longest_path) throw failed("cannot copy '{}': its path is too long", path);
    if (!dir_)
      dir_ = sys::open_below(top_.get(), level.path, O_RDONLY | O_DIRECTORY, shown(level.path));
    auto entry = look(dir_.get(), name, path);
    if (!entry || (entry->is_dir() && !descend(path))) continue;
    return entry;
  }
  return {};
}

std::optional<TreeEntry> DiskSource::begin() {
  begun_ = true;
  struct stat st {};
  int result = follow_ ? ::stat(root_.c_str(), &st) : ::lstat(root_.c_str(), &st);
  if (result != 0) throw sys_error(errno, "cannot read '{}'", root_);
  if (!S_ISDIR(st.st_mode)) return look(AT_FDCWD, root_, "");
  top_ = sys::open_file(root_, O_RDONLY | O_DIRECTORY | (follow_ ? 0 : O_NOFOLLOW));
  of_kernel_ = is_of_kernel(top_.get());
  auto entry = look(top_.get(), ".", "");
  descend("");
  return entry;
}

// False for a directory that went meanwhile.
bool DiskSource::descend(const std::string& path) {
  try {
    Fd dir = sys::open_below(top_.get(), path, O_RDONLY | O_DIRECTORY, shown(path));
    bool apart = !of_kernel_ && is_of_kernel(dir.get());
    if (apart) apart_.push_back(path);
    levels_.push_back(
        {path, apart ? std::vector<std::string>{} : sys::names_in(dir.get(), shown(path))});
    dir_ = std::move(dir);
    return true;
  } catch (const Error& e) {
    if (e.error_number() == ENOENT && !path.empty()) return false;
    throw;
  }
}

std::optional<TreeEntry> DiskSource::look(int dir, const std::string& name,
                                          const std::string& path) {
  bool follow = follow_ && path.empty();
  struct stat st {};
  int result = ::fstatat(dir, name.c_str(), &st, follow ? 0 : AT_SYMLINK_NOFOLLOW);
  // An entry that went while the tree was read is no part of it.
  if (result != 0 && errno == ENOENT && !path.empty()) return {};
  if (result != 0) throw sys_error(errno, "cannot read '{}'", shown(path));
  TreeEntry entry;
  entry.path = path;
  entry.mode = st.st_mode;
  entry.mtime = st.st_mtim.tv_sec;
  entry.mtime_ns = static_cast<uint32_t>(st.st_mtim.tv_nsec);
  if (S_ISDIR(st.st_mode)) return entry;
  if (S_ISLNK(st.st_mode)) {
    std::array<char, PATH_MAX> target;
    ssize_t n = ::readlinkat(dir, name.c_str(), target.data(), target.size());
    if (n <= 0) throw sys_error(errno, "cannot read link '{}'", shown(path));
    entry.target.assign(target.data(), static_cast<size_t>(n));
    return entry;
  }
  if (!S_ISREG(st.st_mode)) {
    left_out_++;
    return {};
  }
  if (st.st_nlink > 1) {
    auto [first, fresh] = linked_.try_emplace({st.st_dev, st.st_ino}, path);
    if (!fresh) {
      entry.hard_link = true;
      entry.target = first->second;
      return entry;
    }
  }
  Fd file(
      ::openat(dir, name.c_str(), O_RDONLY | (follow ? 0 : O_NOFOLLOW) | O_NONBLOCK | O_CLOEXEC));
  if (!file && errno == ENOENT && !path.empty()) return {};
  if (!file && st.st_blocks == 0 && !path.empty()) {
    unread_.add(sys_error(errno, "'{}'", path).message());
    return {};
  }
  if (!file) throw sys_error(errno, "cannot open '{}'", shown(path));
  // Of what was opened, which is what is read.
  if (::fstat(file.get(), &st) != 0 || !S_ISREG(st.st_mode))
    throw failed("cannot read '{}': it was replaced meanwhile", shown(path));
  return open_content(std::move(file), std::move(entry), st);
}

std::optional<TreeEntry> DiskSource::open_content(Fd file, TreeEntry entry, const struct stat& st) {
  file_ = std::move(file);
  file_path_ = shown(entry.path);
  entry.size = st.st_size;
  extents_ = extents_of(file_.get(), st.st_size);
  extent_ = 0;
  within_ = 0;
  // A file system that knows holes has said above that a file without blocks is one.
  bool doubted =
      st.st_size == 0 || (st.st_blocks == 0 && !extents_.empty() && st.st_size <= doubted_size);
  if (doubted) {
    // Some of these can only be read from the beginning on.
    if (st.st_size > 0) ::lseek(file_.get(), 0, SEEK_SET);
    try {
      spool_.emplace([this](std::span<char> buffer) { return read_file(buffer, {}); }, file_path_);
    } catch (const Error& e) {
      if (entry.path.empty()) throw;
      unread_.add(e.message());
      return {};
    }
    entry.size = spool_->size();
    extents_.clear();
    if (entry.size > 0) extents_.push_back({0, entry.size});
  }
  entry.data = extents_;
  return entry;
}

size_t DiskSource::read_file(std::span<char> buffer, std::optional<int64_t> offset) {
  ssize_t n = 0;
  do
    n = offset ? ::pread(file_.get(), buffer.data(), buffer.size(), *offset)
               : ::read(file_.get(), buffer.data(), buffer.size());
  while (n < 0 && errno == EINTR);
  if (n < 0) throw sys_error(errno, "cannot read '{}'", file_path_);
  return static_cast<size_t>(n);
}

size_t DiskSource::read(std::span<char> buffer) {
  if (spool_) return spool_->read(buffer);
  if (!file_ || extent_ == extents_.size()) return 0;
  Extent e = extents_[extent_];
  auto want = std::min<int64_t>(e.length - within_, static_cast<int64_t>(buffer.size()));
  size_t n = read_file(buffer.first(static_cast<size_t>(want)), e.offset + within_);
  if (n == 0) throw failed("cannot read '{}': it shrank meanwhile", file_path_);
  within_ += static_cast<int64_t>(n);
  if (within_ == e.length) extent_++, within_ = 0;
  return n;
}

} // namespace banger::guest

#include "sys/file.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/error.h"
#include "core/failpoint.h"

namespace banger::sys {

namespace {

std::string parent_of(const std::string& path) {
  size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string base_of(const std::string& path) {
  size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

std::string temporary_of(const std::string& path) {
  return parent_of(path) + "/." + base_of(path) + ".tmp";
}

FileInfo info_of(const struct stat& st) {
  return {S_ISDIR(st.st_mode),
          S_ISREG(st.st_mode),
          S_ISLNK(st.st_mode),
          S_ISSOCK(st.st_mode),
          S_ISBLK(st.st_mode),
          st.st_mode & 07777,
          st.st_uid,
          st.st_size,
          int64_t{st.st_blocks} * 512,
          st.st_dev,
          st.st_ino,
          int64_t{st.st_mtim.tv_sec} * 1'000'000'000 + st.st_mtim.tv_nsec};
}

} // namespace

Fd open_file(const std::string& path, int flags, mode_t mode) {
  if (flags & O_CREAT) failpoint(Point::create);
  int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) throw sys_error(errno, "cannot open '{}'", path);
  return Fd(fd);
}

std::optional<Fd> find_file(const std::string& path, int flags) {
  int fd = ::open(path.c_str(), flags | O_CLOEXEC);
  if (fd >= 0) return Fd(fd);
  if (errno == ENOENT || errno == ENOTDIR) return {};
  throw sys_error(errno, "cannot open '{}'", path);
}

namespace {

std::string read_whole(int fd, const std::string& path, size_t max) {
  std::string out;
  struct stat st;
  if (::fstat(fd, &st) == 0 && st.st_size > 0) out.reserve(static_cast<size_t>(st.st_size) + 1);
  for (;;) {
    size_t had = out.size();
    size_t want = std::max<size_t>(4096, out.capacity() - had);
    out.resize(had + want);
    ssize_t n = ::read(fd, out.data() + had, want);
    if (n < 0 && errno == EINTR) n = 0, out.resize(had);
    if (n < 0) throw sys_error(errno, "cannot read '{}'", path);
    out.resize(had + static_cast<size_t>(n));
    if (n == 0) return out;
    if (out.size() > max) throw failed("cannot read '{}': it is larger than {} bytes", path, max);
  }
}

} // namespace

std::string read_file(const std::string& path, size_t max) {
  Fd fd = open_file(path, O_RDONLY);
  return read_whole(fd.get(), path, max);
}

std::optional<std::string> find_content(const std::string& path, size_t max) {
  auto fd = find_file(path, O_RDONLY);
  if (!fd) return {};
  return read_whole(fd->get(), path, max);
}

std::string read_tail(const std::string& path, size_t max) {
  auto fd = find_file(path, O_RDONLY);
  if (!fd) return {};
  struct stat st;
  if (::fstat(fd->get(), &st) != 0) throw sys_error(errno, "cannot read '{}'", path);
  auto keep = std::min<int64_t>(st.st_size, static_cast<int64_t>(max));
  return read_at(fd->get(), st.st_size - keep, max);
}

int64_t size_of(int fd) {
  struct stat st;
  if (::fstat(fd, &st) != 0) throw sys_error(errno, "cannot look at a file");
  if (!S_ISBLK(st.st_mode)) return st.st_size;
  uint64_t bytes = 0;
  if (::ioctl(fd, BLKGETSIZE64, &bytes) != 0) throw sys_error(errno, "cannot look at a device");
  return static_cast<int64_t>(bytes);
}

std::string read_at(int fd, int64_t offset, size_t max) {
  std::string out(max, '\0');
  size_t have = 0;
  while (have < max) {
    ssize_t n = ::pread(fd, out.data() + have, max - have, offset + static_cast<int64_t>(have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw sys_error(errno, "cannot read");
    if (n == 0) break;
    have += static_cast<size_t>(n);
  }
  out.resize(have);
  return out;
}

void write_all(int fd, std::string_view data) {
  while (!data.empty()) {
    ssize_t n = ::write(fd, data.data(), data.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw sys_error(errno, "cannot write");
    data.remove_prefix(static_cast<size_t>(n));
  }
}

void write_atomic(const std::string& path, std::string_view content, mode_t mode,
                  Outlives outlives) {
  std::string dir = parent_of(path), temporary = temporary_of(path);
  try {
    // A fresh inode: a holder of a dead writer's temporary must not see this content.
    remove_file(temporary);
    Fd fd = open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, mode);
    failpoint(Point::chmod);
    if (::fchmod(fd.get(), mode) != 0) throw sys_error(errno, "cannot set the mode of '{}'", path);
    failpoint(Point::write);
    write_all(fd.get(), content);
    if (outlives == Outlives::power_cut && ::fsync(fd.get()) != 0)
      throw sys_error(errno, "cannot sync '{}'", path);
    fd.reset();
    rename(temporary, path);
  } catch (Error& e) {
    ::unlink(temporary.c_str());
    throw std::move(e.within(fmt::format("cannot write '{}'", path)));
  }
  if (outlives == Outlives::power_cut) sync_dir(dir);
}

void remove_unfinished(const std::string& path) { remove_file(temporary_of(path)); }

void append(const std::string& path, std::string_view content) {
  Fd fd = open_file(path, O_WRONLY | O_APPEND);
  failpoint(Point::write);
  write_all(fd.get(), content);
}

bool make_dir(const std::string& path, mode_t mode) {
  failpoint(Point::mkdir);
  if (::mkdir(path.c_str(), mode) == 0) return true;
  int err = errno;
  auto info = find_info(path);
  if (err == EEXIST && info && info->is_dir) return false;
  if (err == EEXIST && !info && find_link_info(path))
    throw failed("cannot make directory '{}': it is a link that leads nowhere", path);
  throw sys_error(err, "cannot make directory '{}'", path);
}

void make_fifo(const std::string& path) {
  failpoint(Point::create);
  if (::mkfifo(path.c_str(), 0600) == 0) return;
  int err = errno;
  struct stat st {};
  if (err == EEXIST && ::lstat(path.c_str(), &st) == 0 && S_ISFIFO(st.st_mode)) return;
  throw sys_error(err, "cannot make '{}'", path);
}

void make_dirs(const std::string& path, mode_t mode) {
  auto info = find_info(path);
  if (info && info->is_dir) return;
  std::string parent = parent_of(path);
  if (parent != path) make_dirs(parent, mode);
  make_dir(path, mode);
}

void rename(const std::string& from, const std::string& to) {
  failpoint(Point::rename);
  if (::rename(from.c_str(), to.c_str()) != 0)
    throw sys_error(errno, "cannot rename '{}' to '{}'", from, to);
}

void make_symlink(const std::string& target, const std::string& path) {
  failpoint(Point::link);
  if (::symlink(target.c_str(), path.c_str()) == 0) return;
  if (errno != EEXIST) throw sys_error(errno, "cannot link '{}'", path);
  // Replaced at once, so that no reader sees a moment without it.
  std::string temporary = temporary_of(path);
  remove_file(temporary);
  failpoint(Point::link);
  if (::symlink(target.c_str(), temporary.c_str()) != 0)
    throw sys_error(errno, "cannot link '{}'", path);
  rename(temporary, path);
}

void set_mode(const std::string& path, mode_t mode) {
  failpoint(Point::chmod);
  if (::chmod(path.c_str(), mode) != 0) throw sys_error(errno, "cannot set the mode of '{}'", path);
}

void set_size(int fd, int64_t size, const std::string& path) {
  failpoint(Point::truncate);
  if (::ftruncate(fd, size) != 0) throw sys_error(errno, "cannot set the size of '{}'", path);
}

void sync_dir(const std::string& path) {
  Fd fd = open_file(path, O_RDONLY | O_DIRECTORY);
  // Some file systems cannot sync a directory; they have nothing to lose by it then.
  if (::fsync(fd.get()) != 0 && errno != EINVAL && errno != EROFS)
    throw sys_error(errno, "cannot sync '{}'", path);
}

void sync_file(const std::string& path) { sync_open(open_file(path, O_RDONLY).get(), path); }

void sync_open(int fd, const std::string& path) {
  if (::fsync(fd) != 0) throw sys_error(errno, "cannot sync '{}'", path);
}

bool remove_file(const std::string& path) {
  failpoint(Point::unlink);
  if (::unlink(path.c_str()) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  throw sys_error(errno, "cannot remove '{}'", path);
}

void make_or_remove(const std::string& path, const std::function<void()>& make) {
  std::string left; // why the half of it is still there
  auto remove = [&] {
    try {
      remove_file(path);
    } catch (const Error& e) {
      left = e.message();
    }
  };
  try {
    make();
  } catch (Error& e) {
    remove();
    if (!left.empty())
      e.default_hint(fmt::format("remove '{}', which is left over: {}", path, left));
    throw;
  } catch (...) {
    remove();
    throw;
  }
}

namespace {

struct CloseDir {
  void operator()(DIR* d) const { ::closedir(d); }
};
using Dir = std::unique_ptr<DIR, CloseDir>;

bool is_dot(const char* name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

// Removes what is in a directory, however deep that is: with one descriptor, and without recursion.
class Emptying {
public:
  Emptying(const std::string& path, dev_t device) : path_(path), device_(device) {}

  void run() {
    enter(AT_FDCWD, path_);
    while (!levels_.empty()) {
      if (!levels_.back().dirs.empty()) {
        std::string name = std::move(levels_.back().dirs.back());
        levels_.back().dirs.pop_back();
        enter(dir_.get(), name);
        continue;
      }
      Level done = std::move(levels_.back());
      levels_.pop_back();
      if (levels_.empty()) return;
      leave();
      remove(done.name, true);
    }
  }

private:
  struct Level {
    std::string name;
    ino_t inode = 0;
    std::vector<std::string> dirs{}; // in it, still to be removed
  };

  std::string shown(const std::string& name = {}) const {
    std::string text = path_;
    for (size_t i = 1; i < levels_.size() && text.size() < 4096; i++) text += "/" + levels_[i].name;
    return name.empty() ? text : text + "/" + name;
  }

  void enter(int parent, const std::string& name) {
    Fd fd(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat st;
    if (!fd || ::fstat(fd.get(), &st) != 0)
      throw sys_error(errno, "cannot remove '{}'", levels_.empty() ? path_ : shown(name));
    dir_ = std::move(fd);
    levels_.push_back({name, st.st_ino});
    Dir dir(::fdopendir(::fcntl(dir_.get(), F_DUPFD_CLOEXEC, 3)));
    if (!dir) throw sys_error(errno, "cannot remove '{}'", shown());
    while (dirent* entry = ::readdir(dir.get())) {
      if (is_dot(entry->d_name)) continue;
      if (::fstatat(dir_.get(), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) continue;
        throw sys_error(errno, "cannot remove '{}'", shown(entry->d_name));
      }
      if (!S_ISDIR(st.st_mode))
        remove(entry->d_name, false);
      else if (st.st_dev == device_)
        levels_.back().dirs.emplace_back(entry->d_name);
      else
        throw conflict("cannot remove '{}': something is mounted there", shown(entry->d_name));
    }
  }

  // Back to the directory above, if it still is that.
  void leave() {
    Fd above(::openat(dir_.get(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat st;
    if (!above || ::fstat(above.get(), &st) != 0)
      throw sys_error(errno, "cannot remove '{}'", shown());
    if (st.st_ino != levels_.back().inode || st.st_dev != device_)
      throw conflict("cannot remove '{}': it was moved meanwhile", shown());
    dir_ = std::move(above);
  }

  void remove(const std::string& name, bool is_dir) {
    failpoint(is_dir ? Point::rmdir : Point::unlink);
    if (::unlinkat(dir_.get(), name.c_str(), is_dir ? AT_REMOVEDIR : 0) != 0 && errno != ENOENT)
      throw sys_error(errno, "cannot remove '{}'", shown(name));
  }

  const std::string& path_;
  dev_t device_;
  std::vector<Level> levels_; // from the top down to dir_
  Fd dir_;
};

} // namespace

bool remove_tree(const std::string& path) {
  struct stat st;
  if (::lstat(path.c_str(), &st) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    throw sys_error(errno, "cannot remove '{}'", path);
  }
  if (!S_ISDIR(st.st_mode)) return remove_file(path);
  Emptying(path, st.st_dev).run();
  failpoint(Point::rmdir);
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT)
    throw sys_error(errno, "cannot remove '{}'", path);
  return true;
}

std::optional<FileInfo> find_info(const std::string& path) {
  struct stat st;
  if (::stat(path.c_str(), &st) == 0) return info_of(st);
  if (errno == ENOENT || errno == ENOTDIR) return {};
  throw sys_error(errno, "cannot look at '{}'", path);
}

std::optional<FileInfo> find_link_info(const std::string& path) {
  struct stat st;
  if (::lstat(path.c_str(), &st) == 0) return info_of(st);
  if (errno == ENOENT || errno == ENOTDIR) return {};
  throw sys_error(errno, "cannot look at '{}'", path);
}

bool exists(const std::string& path) { return find_info(path).has_value(); }

std::vector<std::string> list_dir(const std::string& path) {
  std::vector<std::string> names;
  Dir dir(::opendir(path.c_str()));
  if (!dir) {
    if (errno == ENOENT || errno == ENOTDIR) return names;
    throw sys_error(errno, "cannot read directory '{}'", path);
  }
  while (dirent* entry = ::readdir(dir.get()))
    if (!is_dot(entry->d_name)) names.emplace_back(entry->d_name);
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<std::string> read_link(const std::string& path) {
  std::array<char, 4096> buffer;
  ssize_t n = ::readlink(path.c_str(), buffer.data(), buffer.size());
  if (n < 0) return {};
  return std::string(buffer.data(), static_cast<size_t>(n));
}

std::string nearest_existing(std::string path) {
  struct stat st;
  while (::stat(path.c_str(), &st) != 0 && path != "/" && path != ".") path = parent_of(path);
  return path;
}

int64_t free_space(const std::string& path) {
  struct statvfs fs;
  if (::statvfs(nearest_existing(path).c_str(), &fs) != 0)
    throw sys_error(errno, "cannot look at the file system of '{}'", path);
  return static_cast<int64_t>(fs.f_bavail) * static_cast<int64_t>(fs.f_frsize);
}

bool keep_room(const std::string& path, int64_t bytes) {
  auto fd = find_file(path, O_WRONLY);
  return fd && ::fallocate(fd->get(), FALLOC_FL_KEEP_SIZE, 0, bytes) == 0;
}

std::string real_path(const std::string& path) {
  std::unique_ptr<char, decltype(&std::free)> p(::realpath(path.c_str(), nullptr), &std::free);
  if (!p) throw sys_error(errno, "cannot find '{}'", path);
  return p.get();
}

} // namespace banger::sys

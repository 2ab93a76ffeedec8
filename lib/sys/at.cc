#include "sys/at.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/error.h"
#include "core/failpoint.h"

namespace banger::sys {

namespace {

std::array<timespec, 2> times(int64_t mtime_ns) {
  timespec mtime{mtime_ns / 1'000'000'000, mtime_ns % 1'000'000'000};
  if (mtime.tv_nsec < 0) mtime.tv_sec--, mtime.tv_nsec += 1'000'000'000;
  return {timespec{0, UTIME_OMIT}, mtime};
}

struct CloseDir {
  void operator()(DIR* d) const { ::closedir(d); }
};

} // namespace

Fd open_below(int dir, const std::string& path, int flags, const std::string& shown) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  const char* below = path.empty() ? "." : path.c_str();
  for (;;) {
    // The C library has no name for it.
    Fd fd(static_cast<int>(::syscall(SYS_openat2, dir, below, &how, sizeof how)));
    if (fd) return fd;
    // EAGAIN: something was renamed meanwhile, so that the kernel cannot tell.
    if (errno != EINTR && errno != EAGAIN) throw sys_error(errno, "cannot open '{}'", shown);
  }
}

Fd open_dir_at(int dir, const std::string& name, const std::string& shown) {
  Fd fd(::openat(dir, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) throw sys_error(errno, "cannot open directory '{}'", shown);
  return fd;
}

std::vector<std::string> names_in(int fd, const std::string& shown) {
  int copy = ::openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  std::unique_ptr<DIR, CloseDir> dir(copy < 0 ? nullptr : ::fdopendir(copy));
  if (!dir) throw sys_error(errno, "cannot read '{}'", shown);
  std::vector<std::string> names;
  while (dirent* entry = ::readdir(dir.get())) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool make_dir_at(int dir, const std::string& name, mode_t mode, const std::string& shown) {
  failpoint(Point::mkdir);
  if (::mkdirat(dir, name.c_str(), mode) == 0) return true;
  int error = errno;
  struct stat st {};
  if (error == EEXIST && ::fstatat(dir, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
      S_ISDIR(st.st_mode))
    return false;
  throw sys_error(error, "cannot make directory '{}'", shown);
}

Fd create_at(int dir, const std::string& name, mode_t mode, const std::string& shown) {
  failpoint(Point::create);
  Fd fd(::openat(dir, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!fd) throw sys_error(errno, "cannot create '{}'", shown);
  return fd;
}

void symlink_at(const std::string& target, int dir, const std::string& name,
                const std::string& shown) {
  failpoint(Point::link);
  if (::symlinkat(target.c_str(), dir, name.c_str()) != 0)
    throw sys_error(errno, "cannot make link '{}'", shown);
}

void link_at(int from_dir, const std::string& from, int dir, const std::string& name,
             const std::string& shown) {
  failpoint(Point::link);
  if (::linkat(from_dir, from.c_str(), dir, name.c_str(), 0) != 0)
    throw sys_error(errno, "cannot make hard link '{}'", shown);
}

void rename_at(int from_dir, const std::string& from, int dir, const std::string& name,
               const std::string& shown) {
  failpoint(Point::rename);
  if (::renameat(from_dir, from.c_str(), dir, name.c_str()) != 0)
    throw sys_error(errno, "cannot replace '{}'", shown);
}

bool remove_at(int dir, const std::string& name) {
  failpoint(Point::unlink);
  return ::unlinkat(dir, name.c_str(), 0) == 0;
}

void write_at(int fd, int64_t offset, std::string_view data, const std::string& shown) {
  while (!data.empty()) {
    failpoint(Point::write);
    ssize_t n = ::pwrite(fd, data.data(), data.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw sys_error(errno, "cannot write '{}'", shown);
    offset += n;
    data.remove_prefix(static_cast<size_t>(n));
  }
}

void set_mode_and_time(int fd, mode_t mode, int64_t mtime_ns, const std::string& shown) {
  failpoint(Point::chmod);
  if (::fchmod(fd, mode) != 0) throw sys_error(errno, "cannot set the mode of '{}'", shown);
  if (::futimens(fd, times(mtime_ns).data()) != 0)
    throw sys_error(errno, "cannot set the time of '{}'", shown);
}

void keep_time(int fd, int64_t mtime_ns) { ::futimens(fd, times(mtime_ns).data()); }

void set_link_time_at(int dir, const std::string& name, int64_t mtime_ns) {
  failpoint(Point::chmod);
  // File systems without times of links lose nothing that is missed.
  ::utimensat(dir, name.c_str(), times(mtime_ns).data(), AT_SYMLINK_NOFOLLOW);
}

} // namespace banger::sys

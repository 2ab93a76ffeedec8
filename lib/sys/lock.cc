#include "sys/lock.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "core/error.h"
#include "sys/file.h"

namespace banger::sys {

namespace {

struct flock whole_file() {
  struct flock l {};
  l.l_type = F_WRLCK;
  l.l_whence = SEEK_SET;
  return l;
}

// Whether `path` still names the file behind fd: its owner may have removed it while we waited.
bool still_there(int fd, const std::string& path) {
  struct stat ours, theirs;
  return ::fstat(fd, &ours) == 0 && ::stat(path.c_str(), &theirs) == 0 &&
         ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

} // namespace

FileLock FileLock::take(const std::string& path) {
  Fd fd = open_file(path, O_RDWR | O_CREAT);
  struct flock l = whole_file();
  while (::fcntl(fd.get(), F_OFD_SETLKW, &l) != 0)
    if (errno != EINTR) throw sys_error(errno, "cannot lock '{}'", path);
  if (!still_there(fd.get(), path)) throw not_found("cannot lock '{}': it was removed", path);
  return FileLock(std::move(fd));
}

std::optional<FileLock> FileLock::try_take(const std::string& path) {
  Fd fd = open_file(path, O_RDWR | O_CREAT);
  struct flock l = whole_file();
  if (::fcntl(fd.get(), F_OFD_SETLK, &l) == 0) {
    if (!still_there(fd.get(), path)) return {};
    return FileLock(std::move(fd));
  }
  if (errno == EAGAIN || errno == EACCES) return {};
  throw sys_error(errno, "cannot lock '{}'", path);
}

bool FileLock::is_held(const std::string& path) {
  int raw = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (raw < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    throw sys_error(errno, "cannot open '{}'", path);
  }
  Fd fd(raw);
  struct flock l = whole_file();
  if (::fcntl(fd.get(), F_OFD_GETLK, &l) != 0) throw sys_error(errno, "cannot query '{}'", path);
  return l.l_type != F_UNLCK;
}

} // namespace banger::sys

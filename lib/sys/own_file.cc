#include "sys/own_file.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "sys/file.h"

namespace banger::sys {

namespace {

const char* name_of(OwnKind kind) {
  return kind == OwnKind::file ? "a plain file" : kind == OwnKind::fifo ? "a FIFO" : "a socket";
}

bool is_of(const struct stat& st, OwnKind kind) {
  switch (kind) {
  case OwnKind::file:
    return S_ISREG(st.st_mode) && st.st_nlink == 1;
  case OwnKind::fifo:
    return S_ISFIFO(st.st_mode);
  case OwnKind::socket:
    return S_ISSOCK(st.st_mode);
  }
  return false;
}

} // namespace

std::optional<Fd> find_own(const std::string& path, OwnKind kind, int flags) {
  // Opened so, a device or a FIFO does not notice it.
  Fd name(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!name && (errno == ENOENT || errno == ENOTDIR)) return {};
  struct stat st {};
  if (!name || ::fstat(name.get(), &st) != 0) throw sys_error(errno, "cannot open '{}'", path);
  if (!is_of(st, kind) || st.st_uid != ::geteuid())
    throw failed("cannot use '{}': it is not {} of this user's own", path, name_of(kind));
  if (kind == OwnKind::socket) return name;
  return open_file(fmt::format("/proc/self/fd/{}", name.get()), flags);
}

Fd open_own(const std::string& path, OwnKind kind, int flags) {
  auto found = find_own(path, kind, flags);
  if (!found) throw failed("cannot open '{}': it is not there", path);
  return std::move(*found);
}

} // namespace banger::sys

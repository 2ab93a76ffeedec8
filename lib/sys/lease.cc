#include "sys/lease.h"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/handle.h"
#include "sys/wait.h"

namespace banger::sys {

Lease::Lease(int fd, const std::string& shown, Millis patience) : fd_(fd), shown_(shown) {
  std::signal(SIGIO, SIG_IGN); // it tells that somebody waits, and would end this process
  // The watch stands before the first try, so that no closing is missed after it.
  Fd closings(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  std::string path = fmt::format("/proc/self/fd/{}", fd);
  if (!closings || ::inotify_add_watch(closings.get(), path.c_str(), IN_CLOSE) < 0)
    throw sys_error(errno, "cannot watch '{}'", shown);
  Deadline until{patience};
  while (::fcntl(fd, F_SETLEASE, F_WRLCK) != 0) {
    if (errno == EINTR) continue;
    if (errno != EAGAIN)
      throw preflight("'{}' lies on a file system without leases", shown)
          .hint("use --root overlay, or a state on a file system of this host");
    pollfd polled{closings.get(), POLLIN, 0};
    if (wait_any({&polled, 1}, until) == 0)
      throw conflict("another program has '{}' open", shown)
          .hint(fmt::format("fuser -v {} tells which", shown));
    char event[4096];
    while (::read(closings.get(), event, sizeof event) > 0) {
    }
  }
}

Lease::~Lease() { ::fcntl(fd_, F_SETLEASE, F_UNLCK); }

void Lease::require_held() const {
  // With one who waits to read it is, or will be, a lease for reading: nobody writes under that.
  int kind = ::fcntl(fd_, F_GETLEASE);
  if (kind != F_WRLCK && kind != F_RDLCK)
    throw conflict("another program opened '{}' while the kernel was to read it", shown_)
        .hint("start it again");
}

} // namespace banger::sys

#include "sys/signals.h"

#include <cerrno>
#include <cstring>

#include <poll.h>
#include <sys/signalfd.h>

#include "core/error.h"
#include "sys/wait.h"

namespace banger::sys {

Signals::Signals(std::initializer_list<int> signals) {
  sigset_t set;
  ::sigemptyset(&set);
  for (int s : signals) {
    struct sigaction now {};
    if (::sigaction(s, nullptr, &now) == 0 && now.sa_handler != SIG_IGN) ::sigaddset(&set, s);
  }
  ::sigprocmask(SIG_BLOCK, &set, &before_);
  fd_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd_) {
    int error = errno;
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
    throw sys_error(error, "cannot follow signals");
  }
}

namespace {

constexpr int interrupting[] = {SIGINT, SIGTERM, SIGHUP};

} // namespace

Fd interruptions() {
  sigset_t set;
  ::sigemptyset(&set);
  for (int s : interrupting) ::sigaddset(&set, s);
  Fd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) throw sys_error(errno, "cannot follow signals");
  return fd;
}

void throw_if_interrupted() {
  sigset_t pending;
  ::sigpending(&pending);
  for (int s : interrupting)
    if (::sigismember(&pending, s) == 1) throw failed("interrupted ({})", ::strsignal(s));
}

void wait_or_interrupt(int fd) {
  Fd interrupts = interruptions();
  pollfd fds[] = {{fd, POLLIN, 0}, {interrupts.get(), POLLIN, 0}};
  for (;;) {
    wait_any(fds);
    throw_if_interrupted();
    if (fds[0].revents) return;
  }
}

Signals::~Signals() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

} // namespace banger::sys

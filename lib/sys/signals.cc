#include "sys/signals.h"

#include <cerrno>

#include <sys/signalfd.h>

#include "core/error.h"

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

Signals::~Signals() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

} // namespace banger::sys

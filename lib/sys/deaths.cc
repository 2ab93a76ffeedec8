#include "sys/deaths.h"

#include <cerrno>

#include <sys/epoll.h>

#include "core/error.h"
#include "sys/proc.h"

namespace banger::sys {

Deaths::Deaths() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw sys_error(errno, "cannot follow processes");
}

bool Deaths::follow(const std::vector<ProcessId>& processes) {
  bool all = true;
  decltype(followed_) next;
  for (const ProcessId& id : processes) {
    if (next.contains(id)) continue;
    if (auto before = followed_.find(id); before != followed_.end() && is_alive(id)) {
      next.insert(followed_.extract(before));
      continue;
    }
    auto pidfd = open_process(id);
    if (!pidfd) {
      all = false;
      continue;
    }
    epoll_event event{};
    event.events = EPOLLIN;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, pidfd->get(), &event) != 0)
      throw sys_error(errno, "cannot follow process {}", id.pid);
    next.emplace(id, std::move(*pidfd));
  }
  // A descriptor that is closed here leaves the epoll by itself.
  followed_ = std::move(next);
  return all;
}

} // namespace banger::sys

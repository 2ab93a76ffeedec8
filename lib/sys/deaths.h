// Tells by one descriptor when one of several processes has ended, whatever their parents are.
#pragma once

#include <map>
#include <tuple>
#include <vector>

#include "core/handle.h"
#include "model/vm.h"

namespace banger::sys {

class Deaths {
public:
  Deaths();
  // Readable when one of those that are followed has ended; quiet again after follow().
  int fd() const { return epoll_.get(); }
  // Follows these, and no others, from now on. True if all of them were alive when they began to be
  // followed.
  bool follow(const std::vector<ProcessId>& processes);

private:
  struct Less {
    bool operator()(const ProcessId& a, const ProcessId& b) const {
      return std::tie(a.pid, a.start_time, a.boot_id) < std::tie(b.pid, b.start_time, b.boot_id);
    }
  };
  Fd epoll_;
  std::map<ProcessId, Fd, Less> followed_; // their pidfds
};

} // namespace banger::sys

// Tells that this host's wall clock has jumped: it was set, by a person or a time service, or the
// host has slept.
#pragma once

#include "core/handle.h"

namespace banger::sys {

class ClockWatch {
public:
  ClockWatch();
  // Readable when the clock has jumped since the last clear(). A clock that is only made faster or
  // slower does not jump.
  int fd() const { return timer_.get(); }
  void clear();

private:
  void arm();
  Fd timer_;
};

} // namespace banger::sys

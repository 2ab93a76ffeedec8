// Signals as events for as long as this lives: held back in this process, told by a descriptor that
// becomes readable. Those that the process ignores stay ignored (a command in a script's background
// must not end by the terminal's ^C).
//
// A signal that was seen but not read with read_signal is delivered when this is destroyed: who
// only watches the descriptor can stop, clean up by unwinding, and then end by the signal, as
// whoever sent it expects.
#pragma once

#include <csignal>
#include <initializer_list>

#include "core/handle.h"
#include "sys/loop.h"

namespace banger::sys {

class Signals {
public:
  explicit Signals(std::initializer_list<int> signals);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  int fd() const { return fd_.get(); }

private:
  sigset_t before_;
  Fd fd_;
};

} // namespace banger::sys

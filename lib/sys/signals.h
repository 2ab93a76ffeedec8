// Signals as events for as long as this lives: held back in this process, told by a descriptor that
// becomes readable. Those that the process ignores stay ignored (a command in a script's background
// must not end by the terminal's ^C).
//
// A signal that was seen but not read with read_signal is delivered when this is destroyed: a
// program that only watches the descriptor can stop, clean up by unwinding, and then end by the
// signal, as its sender expects.
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

// Of SIGINT, SIGTERM and SIGHUP, those that this thread holds back: a descriptor that is readable
// while one of them waits, for long work that has to stop then and to tidy up by unwinding.
Fd interruptions();
// Throws Error(failed) where one waits; the signal itself comes when it is held back no more.
void throw_if_interrupted();
// Waits until `fd` is readable, or hung up; throws as above when one comes before.
void wait_or_interrupt(int fd);

} // namespace banger::sys

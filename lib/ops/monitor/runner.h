// The runner of a VM: the process of `run --rm` with which the VM is to end, however that process
// ends (Vm::creator).
//
// Its identity is in the row, so a monitor that takes the VM over knows it as well. It is followed
// by a pidfd, which tells of a death at once, and of nothing else: a runner stopped by SIGSTOP
// lives, and another process with the same pid is not taken for it.
#pragma once

#include <functional>

#include "ops/common/context.h"
#include "sys/loop.h"

namespace banger::ops {

class Runner {
public:
  // `on_death` is called from the loop, once, also for a runner that has died before; never for a
  // VM that has no runner.
  Runner(Context& ctx, sys::Loop& loop, const Vm& vm, std::function<void()> on_death);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

private:
  void on_end();

  Context& ctx_;
  sys::Loop& loop_;
  std::string vm_;
  ProcessId who_;
  std::function<void()> on_death_;
  Fd fd_;
  sys::Loop::Timer soon_ = 0;
};

} // namespace banger::ops

// Keeps the clock of a guest right: it has no time service of its own. It is set to the host's over
// ssh when the guest goes on after a stop, when the host's clock has jumped (sys/clock_watch.h),
// and once an hour, because the two do not run at quite the same pace. A clock that is right to the
// second is left as it is (guest/service).
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "core/units.h"
#include "ops/common/context.h"
#include "ops/monitor/guest_shell.h"
#include "sys/clock_watch.h"
#include "sys/loop.h"

namespace banger::ops {

class GuestClock {
public:
  // `guest` is called from the loop: the guest whose clock can be set, none where it does not run.
  GuestClock(Context& ctx, sys::Loop& loop, std::function<std::optional<Guest>()> guest,
             Millis period = Millis(3'600'000));
  ~GuestClock();
  GuestClock(const GuestClock&) = delete;
  GuestClock& operator=(const GuestClock&) = delete;

  // In place of a try that goes on still. `then` is called once, from the loop or at once, when the
  // clock is set or cannot be, if by another try that took this one's place; not after drop().
  void set(std::function<void()> then = {});
  // A try that goes on is given up: the guest has ended.
  void drop() {
    setter_.reset();
    then_ = {};
  }

private:
  void set_in(Millis pause);
  void tried();

  Context& ctx_;
  sys::Loop& loop_;
  std::function<std::optional<Guest>()> guest_;
  Millis period_;
  sys::ClockWatch jumps_;
  sys::Loop::Timer timer_ = 0;
  std::function<void()> then_; // of the last that asked for it
  std::unique_ptr<Helper> setter_;
};

} // namespace banger::ops

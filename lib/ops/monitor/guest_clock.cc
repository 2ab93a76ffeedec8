#include "ops/monitor/guest_clock.h"

#include <utility>

namespace banger::ops {

namespace {

constexpr Millis time_to_set{60'000};
// A host that wakes up, or is set right, may take more than one step.
constexpr Millis after_a_jump{500};

} // namespace

GuestClock::GuestClock(Context& ctx, sys::Loop& loop, std::function<std::optional<Guest>()> guest,
                       Millis period)
    : ctx_(ctx), loop_(loop), guest_(std::move(guest)), period_(period) {
  loop_.watch(jumps_.fd(), [this] {
    jumps_.clear();
    set_in(after_a_jump);
  });
  set_in(period_);
}

GuestClock::~GuestClock() {
  loop_.forget(jumps_.fd());
  loop_.cancel(timer_);
}

void GuestClock::set(std::function<void()> then) {
  if (then) then_ = std::move(then);
  auto guest = guest_();
  setter_ = guest ? set_clock(ctx_, loop_, *guest, time_to_set, [this] { tried(); }) : nullptr;
  if (!setter_) tried();
}

void GuestClock::tried() {
  if (auto then = std::exchange(then_, {})) then();
}

void GuestClock::set_in(Millis pause) {
  loop_.cancel(timer_);
  timer_ = loop_.after(pause, [this] {
    set_in(period_);
    set();
  });
}

} // namespace banger::ops

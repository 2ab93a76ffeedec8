// A loop that runs until a condition holds, which no event of the loop tells.
#pragma once

#include "core/clock.h"
#include "core/units.h"
#include "sys/loop.h"

namespace banger::dns {

inline constexpr Millis too_long{20'000};

// Whether `done` became true in time.
template <typename Done>
bool run_until(sys::Loop& loop, Done done) {
  SteadyTime late = steady_now() + too_long;
  bool is_done = false;
  while (!(is_done = static_cast<bool>(done())) && steady_now() < late) {
    loop.after(Millis(1), [&loop] { loop.stop(); });
    loop.run();
  }
  return is_done;
}

} // namespace banger::dns

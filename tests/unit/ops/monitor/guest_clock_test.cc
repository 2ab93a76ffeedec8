// When the clock of a guest is set; that it is then right is shown with real ones, in the lab.
#include <gtest/gtest.h>

#include "ops/common/open.h"
#include "ops/monitor/guest_clock.h"
#include "state/state_test.h"

namespace banger::ops {
namespace {

class GuestClockTest : public state::StateTest {
protected:
  Settings settings;
  Log log{"", Level::off, "op"};
  sys::Loop loop;
};

TEST_F(GuestClockTest, AGuestIsLookedAtOnceAPeriodAndWhereOneAsks) {
  Opened ctx(settings, dirs, log);
  constexpr Millis period{100};
  int looks = 0;
  GuestClock clock(
      ctx, loop,
      [&]() -> std::optional<Guest> {
        if (++looks == 4) loop.stop();
        return {};
      },
      period);
  auto began = steady_now();
  clock.set();
  EXPECT_EQ(looks, 1);
  loop.run();
  EXPECT_GE(steady_now() - began, 3 * period);
}

} // namespace
} // namespace banger::ops

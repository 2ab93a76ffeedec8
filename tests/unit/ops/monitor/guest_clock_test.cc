// When the clock of a guest is set; that it is then right is shown with real ones, in the lab.
#include <gtest/gtest.h>

#include "guest/identity/keys.h"
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

TEST_F(GuestClockTest, WhoWaitsForOneTryIsToldByAnotherThatTakesItsPlace) {
  dirs.libexec = root;
  sys::write_atomic(root + "/banger-guest", "#!/bin/sh\nexec sleep 0.2\n", 0700);
  Opened ctx(settings, dirs, log);
  Vm of = vm("x");
  of.reach = "127.0.0.1";
  Places places = places_of(dirs, "beef", of);
  sys::make_dirs(places.dir);
  sys::write_atomic(places.host_key, guest::openssh_private(guest::KeyPair{}, "x"));
  GuestClock clock(ctx, loop, [&] { return std::optional(Guest{places, of, STDERR_FILENO}); });
  int told = 0;
  clock.set([&] { told++; });
  clock.set(); // the host's clock has jumped
  EXPECT_EQ(told, 0);
  loop.after(Millis(1000), [&] { loop.stop(); });
  loop.run();
  EXPECT_EQ(told, 1);
  clock.set([&] { told++; });
  clock.drop();
  clock.set();
  loop.after(Millis(1000), [&] { loop.stop(); });
  loop.run();
  EXPECT_EQ(told, 1);
}

} // namespace
} // namespace banger::ops

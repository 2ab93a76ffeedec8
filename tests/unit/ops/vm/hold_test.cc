// Two commands that want the same VM.
#include <csignal>

#include <gtest/gtest.h>

#include "ops/common/places.h"
#include "ops/vm/hold.h"
#include "state/state_test.h"
#include "sys/lock.h"

namespace banger::ops {
namespace {

class Hold : public state::StateTest {
protected:
  Hold() {
    Vm v = vm("x");
    v.state = VmState::stopped;
    own = state.add_vm(v);
    places = places_of(dirs, state.tag(), own);
    sys::make_dirs(places.dir);
  }
  state::State state = open();
  Settings settings;
  Log log{{}, Level::off, {}};
  Context ctx{{settings, dirs, state}, log};
  Vm own;
  Places places;
};

TEST_F(Hold, WhoWaitsForAnotherSaysSo) {
  std::string said;
  // The other one goes on until it is heard that somebody waits for it.
  std::optional<sys::FileLock> other = sys::FileLock::take(places.op_lock);
  ctx.stage = [&](std::string_view subject, std::string_view text) {
    said += std::string(subject) + ": " + std::string(text);
    other.reset();
  };
  EXPECT_EQ(hold_vm(ctx, "x", "stop").vm.id, own.id);
  EXPECT_EQ(said, "x: waiting for another command on it");
}

TEST_F(Hold, WhoWaitsForTheEndOfAMonitorSaysSo) {
  std::string said;
  std::optional<sys::FileLock> monitor = sys::FileLock::take(places.run_lock);
  ctx.stage = [&](std::string_view, std::string_view text) {
    said += text;
    monitor.reset();
  };
  EXPECT_EQ(hold_vm(ctx, "x", "start").vm.id, own.id);
  EXPECT_EQ(said, "waiting for its monitor to end");
}

TEST_F(Hold, WhoNeedNotWaitSaysNothing) {
  ctx.stage = [](std::string_view, std::string_view) { FAIL(); };
  EXPECT_EQ(hold_vm(ctx, "x", "stop").vm.id, own.id);
}

} // namespace
} // namespace banger::ops

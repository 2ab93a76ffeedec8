// The row that a monitor writes of its VM, and its own belief when that cannot be written.
#include <gtest/gtest.h>

#include "ops/common/open.h"
#include "ops/monitor/row.h"
#include "state/state_test.h"
#include "sys/proc.h"

namespace banger::ops {
namespace {

class RowTest : public state::StateTest {
protected:
  RowTest() {
    auto state = open();
    Vm v = vm("x");
    v.state = VmState::starting;
    id = state.add_vm(v).id;
  }
  Settings settings;
  Log log{"", Level::off, "op"};
  std::string id;
  MonitorRequest request;
};

TEST_F(RowTest, ARunFromItsBeginToItsEnd) {
  Opened ctx(settings, dirs, log);
  Row row(ctx);
  row.read(id);
  row.claim(request, "/run/x");
  EXPECT_EQ(row.vm().run->monitor, sys::this_process());
  EXPECT_EQ(row.vm().run->runtime_dir, "/run/x");
  row.started(request, {7, 8, "boot"}, "/run/x/api", "namespaces, landlock 7", {});
  EXPECT_EQ(row.vm().confinement, "namespaces, landlock 7");
  EXPECT_EQ(row.vm().vmm_process().pid, 7);
  row.ready("", {}, "9.2", "");
  EXPECT_EQ(row.vm().state, VmState::running);
  row.stands(VmState::paused, "full");
  row.stands(VmState::running, "");
  EXPECT_EQ(row.vm().state, VmState::running);
  EXPECT_EQ(row.vm().vmm_version, "9.2");
  row.stopping();
  row.ended({VmState::failed, "panic", failed("why").hint("so")}, {});
  Vm now = ctx.state.get_vm(id);
  EXPECT_EQ(now.state, VmState::failed);
  EXPECT_EQ(now.reason, "panic");
  EXPECT_EQ(now.fault->hint, "so");
  EXPECT_FALSE(now.run);
  std::string types;
  for (const Event& e : ctx.state.events(0)) types += e.type + " ";
  EXPECT_EQ(types, "vm.ready vm.paused vm.resumed vm.failed ");
}

TEST_F(RowTest, NobodyWaitsForAMonitorOfAVmThatIsNotStarting) {
  Opened ctx(settings, dirs, log);
  ctx.state.change_vm(id, [](Vm& v) { v.state = VmState::stopped; });
  Row row(ctx);
  row.read(id);
  try {
    row.claim(request, "/run/x");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::conflict);
  }
  EXPECT_FALSE(row.vm().run);
}

// A failed write is tried again: a row that believed itself written would not be.
TEST_F(RowTest, WhatCannotBeWrittenIsNotBelieved) {
  {
    Opened ctx(settings, dirs, log);
    ctx.state.change_vm(id, [](Vm& v) {
      v.state = VmState::running;
      v.run.emplace();
    });
  }
  Opened ctx(settings, dirs, log, {}, state::Mode::read);
  Row row(ctx);
  row.read(id);
  EXPECT_ANY_THROW(row.stands(VmState::paused, "full"));
  EXPECT_EQ(row.vm().state, VmState::running);
  EXPECT_ANY_THROW(row.stopping());
  EXPECT_EQ(row.vm().state, VmState::running);
  EXPECT_ANY_THROW(row.ready("", {}, "9.2", ""));
  EXPECT_EQ(row.vm().vmm_version, "");
}

// With --rm its row is nobody's from its end on, so that whoever comes may finish it.
TEST_F(RowTest, WithRmItIsBeingRemoved) {
  Opened ctx(settings, dirs, log);
  ctx.state.change_vm(id, [](Vm& v) { v.remove_when_stopped = true; });
  Row row(ctx);
  row.read(id);
  row.claim(request, "/run/x");
  row.ended({}, {});
  EXPECT_EQ(ctx.state.get_vm(id).state, VmState::removing);
  EXPECT_FALSE(ctx.state.get_vm(id).creator);
}

} // namespace
} // namespace banger::ops

#include <gtest/gtest.h>

#include "ops/monitor/end.h"
#include "ops/monitor/standstill.h"

namespace banger::ops {

namespace {

using Next = End::Next;

EndFacts facts(vmm::Ending ending, bool was_ready = true) {
  EndFacts f;
  f.ending = ending;
  f.was_ready = was_ready;
  f.how = "exit status 0";
  return f;
}

} // namespace

TEST(End, WhatWasAskedForComesFirst) {
  for (auto ending : {vmm::Ending::powered_off, vmm::Ending::rebooted, vmm::Ending::panicked,
                      vmm::Ending::died}) {
    EndFacts f = facts(ending);
    f.halted = true;
    f.knock = Knock::keys;
    EXPECT_EQ(decide(f), (End{Next::stopped, ""}));
    f.knock = Knock::kill;
    EXPECT_EQ(decide(f), (End{Next::stopped, "killed"}));
  }
}

TEST(End, OfAGuestByItself) {
  EXPECT_EQ(decide(facts(vmm::Ending::powered_off)), (End{Next::stopped, "the guest powered off"}));
  EXPECT_EQ(decide(facts(vmm::Ending::rebooted)), (End{Next::restart, ""}));
  EXPECT_EQ(decide(facts(vmm::Ending::died)), (End{Next::died, "the VMM ended (exit status 0)"}));
  EndFacts f = facts(vmm::Ending::panicked);
  f.view.last_words.panic = "why";
  EXPECT_EQ(decide(f), (End{Next::failed, "kernel panic: why"}));
  f = facts(vmm::Ending::died);
  f.halted = true;
  EXPECT_EQ(decide(f), (End{Next::stopped, "the guest halted"}));
  f = facts(vmm::Ending::rebooted);
  f.remove_when_stopped = true;
  EXPECT_EQ(decide(f), (End{Next::stopped, "the guest rebooted"}));
}

TEST(End, AGuestThatWasNeverSetGoingDoesNotReboot) {
  EndFacts f = facts(vmm::Ending::rebooted, false);
  EXPECT_EQ(decide(f), (End{Next::restart, ""}));
  f.booted = false;
  EXPECT_EQ(decide(f), (End{Next::died, "the VMM ended (exit status 0)"}));
}

TEST(End, AnInitThatFailsRebootsAndIsNotStartedAgain) {
  for (auto ending : {vmm::Ending::rebooted, vmm::Ending::died}) {
    EndFacts f = facts(ending, false);
    f.view.see(guest::ConsoleSign::init_failed, "switch: no init");
    EXPECT_EQ(decide(f), (End{Next::failed, "init failed at switch: no init"}));
    f.was_ready = true; // the guest may print that at any time
    EXPECT_NE(decide(f).next, Next::failed);
  }
}

TEST(StopPlan, AGuestThatStandsStillHearsNothingAndHasHalfOfItsTimeToGoOn) {
  StopFacts still{true, Millis(10'000), true}, running{true, Millis(10'000), false};
  EXPECT_EQ(next_step(Knock::none, still), (StopStep{Knock::room, Millis(5'000)}));
  EXPECT_EQ(next_step(Knock::room, running), (StopStep{Knock::keys, Millis(10'000)}));
  EXPECT_EQ(next_step(Knock::room, still), (StopStep{Knock::term, Millis(3'000)}));
  EXPECT_EQ(next_step(Knock::keys, still), (StopStep{Knock::term, Millis(3'000)}));
}

TEST(StopPlan, AnExactTimeoutIsForAllThatComesBeforeForce) {
  StopFacts f{.was_ready = true, .timeout = Millis(12'000), .is_exact = true};
  EXPECT_EQ(next_step(Knock::none, f), (StopStep{Knock::keys, Millis(9'000)}));
  EXPECT_EQ(next_step(Knock::keys, f), (StopStep{Knock::ssh, Millis(3'000)}));
  EXPECT_EQ(next_step(Knock::room, f), (StopStep{Knock::keys, Millis(3'000)})); // after 6 s
  f.was_ready = false;
  EXPECT_EQ(next_step(Knock::none, f), (StopStep{Knock::keys, Millis(12'000)}));
  // No second of it is left for ssh.
  f = {.was_ready = true, .timeout = Millis(2'000), .is_exact = true};
  EXPECT_EQ(next_step(Knock::none, f), (StopStep{Knock::keys, Millis(2'000)}));
  EXPECT_EQ(next_step(Knock::keys, f), (StopStep{Knock::term, Millis(3'000)}));
}

TEST(End, OfAGuestThatCouldNotBeAsked) {
  EndFacts f = facts(vmm::Ending::died);
  f.was_still = true;
  f.knock = Knock::term;
  EXPECT_EQ(decide(f), (End{Next::stopped, "it was paused, and could not be asked to stop"}));
  f.knock = Knock::kill;
  EXPECT_EQ(decide(f), (End{Next::stopped, "killed"}));
}

TEST(Standstill, ItsReasonIsForPeople) {
  EXPECT_EQ(reason_of({"upper", true, "no space left on device"}, 12 << 10, "/s/vms/1"),
            "the host's disk is full: 12K free in '/s/vms/1'");
  EXPECT_EQ(reason_of({"root", true, ""}, 0, "/s"), "the host's disk is full: 0 free in '/s'");
  EXPECT_EQ(reason_of({"work", false, "input/output error"}, 1 << 30, "/s"),
            "the host cannot write its work disk: input/output error");
  EXPECT_EQ(reason_of({"upper", false, ""}, {}, "/s"), "the host cannot write its root disk");
  EXPECT_EQ(reason_of({"", false, "QEMU says 'internal-error'"}, {}, "/s"),
            "QEMU says 'internal-error'");
}

TEST(StopPlan, EachStepHasItsTime) {
  StopFacts ready{true, Millis(10'000)}, booting{false, Millis(10'000)}, hasty{true, Millis(300)};
  EXPECT_EQ(next_step(Knock::none, ready), (StopStep{Knock::keys, Millis(10'000)}));
  EXPECT_EQ(next_step(Knock::keys, ready), (StopStep{Knock::ssh, Millis(5'000)}));
  EXPECT_EQ(next_step(Knock::ssh, ready), (StopStep{Knock::term, Millis(3'000)}));
  EXPECT_EQ(next_step(Knock::term, ready), (StopStep{Knock::kill, {}}));
  EXPECT_EQ(next_step(Knock::kill, ready), (StopStep{Knock::kill, {}}));
  EXPECT_EQ(next_step(Knock::keys, booting), (StopStep{Knock::term, Millis(3'000)}));
  EXPECT_EQ(next_step(Knock::keys, hasty), (StopStep{Knock::ssh, Millis(1'000)}));
}

} // namespace banger::ops

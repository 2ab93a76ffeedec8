#include <gtest/gtest.h>

#include "ops/monitor/end.h"

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

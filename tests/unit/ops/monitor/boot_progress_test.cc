#include <gtest/gtest.h>

#include "ops/monitor/boot_progress.h"

namespace banger::ops {

namespace {

BootView view(bool spoke, const std::string& init, guest::Stage ssh) {
  BootView v;
  v.console_spoke = spoke;
  v.init_stage = init;
  v.ssh = ssh;
  return v;
}

} // namespace

TEST(BootStage, EachWayNotToGetReadyHasItsOwnWord) {
  using guest::Stage;
  EXPECT_EQ(stage_of(view(false, "", Stage::no_answer)).word, "kernel");
  EXPECT_EQ(stage_of(view(true, "", Stage::no_answer)).word, "kernel");
  EXPECT_EQ(stage_of(view(true, "disk", Stage::no_answer)).word, "init");
  EXPECT_EQ(stage_of(view(true, "switch", Stage::no_answer)).word, "network");
  EXPECT_EQ(stage_of(view(true, "switch", Stage::closed)).word, "port");
  EXPECT_EQ(stage_of(view(true, "switch", Stage::banner)).word, "ssh");
  EXPECT_EQ(stage_of(view(true, "switch", Stage::refused)).word, "login");
}

TEST(BootStage, HowAPortDoesNotAnswerIsSaid) {
  BootView v = view(true, "switch", guest::Stage::no_answer);
  v.ssh_detail = "connections stay silent";
  EXPECT_EQ(stage_of(v).text, "its ssh port does not answer (connections stay silent): no network, "
                              "or still booting");
}

TEST(BootStage, AClosedPortMeansNothingBeforeTheRootIsUp) {
  EXPECT_EQ(stage_of(view(true, "net", guest::Stage::closed)).word, "init");
}

// The progress of a VM that boots as it should never sounds like a failure.
TEST(BootStage, ProgressReadsAsProgressAndAFailureAsAFailure) {
  using guest::Stage;
  for (const BootView& v :
       {view(false, "", Stage::no_answer), view(true, "", Stage::no_answer),
        view(true, "disk", Stage::no_answer), view(true, "switch", Stage::no_answer),
        view(true, "switch", Stage::closed), view(true, "switch", Stage::banner),
        view(true, "switch", Stage::auth)}) {
    std::string doing = stage_of(v).doing;
    EXPECT_FALSE(doing.empty()) << stage_of(v).text;
    for (const char* bad : {" not ", "nothing", " no ", "fail", "refuse", "still"})
      EXPECT_EQ(std::string::npos, doing.find(bad)) << doing;
  }
  BootView panicked = view(true, "switch", Stage::closed);
  panicked.see(guest::ConsoleSign::panic, "no init");
  EXPECT_EQ("", stage_of(panicked).doing);
  EXPECT_EQ("", stage_of(view(true, "switch", Stage::refused)).doing);
  EXPECT_EQ("", stage_of(view(true, "switch", Stage::mismatch)).doing);
}

TEST(BootStage, OneThatIsRestoredDoesNotBoot) {
  BootView v;
  v.restored = true;
  EXPECT_TRUE(v.has_userland());
  EXPECT_EQ(stage_of(v).word, "restore");
  v.ssh = guest::Stage::closed;
  EXPECT_EQ(stage_of(v).word, "restore");
  v.ssh = guest::Stage::auth;
  EXPECT_EQ(stage_of(v).word, "login");
  // Its disk may have grown before, and its file system not yet.
  EXPECT_EQ(not_grown(v, true), "");
}

TEST(BootStage, APanicIsToldWhateverSshSays) {
  BootView v = view(true, "switch", guest::Stage::closed);
  v.see(guest::ConsoleSign::panic, "no init");
  EXPECT_EQ(stage_of(v).text, "the kernel panicked: no init");
}

TEST(BootStage, AFailedNetworkIsToldUntilSshAnswersAllTheSame) {
  BootView v = view(true, "switch", guest::Stage::no_answer);
  v.see(guest::ConsoleSign::init_failed, "net: no interface");
  EXPECT_EQ(stage_of(v).word, "network");
  v.ssh = guest::Stage::banner;
  EXPECT_EQ(stage_of(v).word, "ssh");
}

TEST(BootStage, AFileSystemThatDoesNotGrowEndsNoBoot) {
  BootView v = view(true, "net", guest::Stage::no_answer);
  EXPECT_EQ(not_grown(v, false), "");
  EXPECT_NE(not_grown(v, true).find("banger bundle build"), std::string::npos);
  v.see(guest::ConsoleSign::init_failed, "grow: it stays at 1 of 2 blocks");
  EXPECT_EQ(not_grown(v, true), "it stays at 1 of 2 blocks");
  EXPECT_FALSE(v.init_fault);
  EXPECT_EQ(stage_of(v).text, "still booting: init is at net");
  v = {};
  v.see(guest::ConsoleSign::init_stage, "grow");
  v.see(guest::ConsoleSign::init_stage, "disk");
  EXPECT_EQ(not_grown(v, true), "");
}

namespace {

SteadyTime at(int ms) { return SteadyTime{} + Millis(ms); }

} // namespace

TEST(BootProgress, PhasesFollowOneAnotherAndAreTimedOnce) {
  BootProgress p;
  p.begin(at(100), 0.5);
  p.see(guest::ConsoleSign::first_byte, "", at(300));
  p.see(guest::ConsoleSign::init_stage, "start", at(700));
  p.see(guest::ConsoleSign::init_stage, "start", at(800)); // made up by the guest
  EXPECT_FALSE(p.view().has_userland());
  p.see(guest::ConsoleSign::init_stage, "switch", at(900));
  EXPECT_TRUE(p.view().has_userland());
  p.see(guest::StageReport{guest::Stage::banner, 0, ""}, at(1700));
  p.see(guest::StageReport{guest::Stage::auth, 0, ""}, at(1800));
  EXPECT_FALSE(p.was_ready());
  p.become_ready(at(2200));
  EXPECT_TRUE(p.was_ready());
  BootTimings wanted{0.5, 0.2, 0.4, 1.0, 0.5};
  EXPECT_EQ(p.timings(), wanted);
  p.begin(at(9000), 9); // its guest rebooted
  EXPECT_FALSE(p.view().has_userland());
  p.see(guest::ConsoleSign::first_byte, "", at(9900));
  EXPECT_EQ(p.timings(), wanted);
}

TEST(BootProgress, AStageIsTheNewsOnceAndNoneWhenItWasReady) {
  BootProgress p;
  p.begin(at(0), 0);
  EXPECT_EQ(p.news()->word, "kernel");
  EXPECT_FALSE(p.news());
  p.see(guest::ConsoleSign::first_byte, "", at(1));
  EXPECT_EQ(p.news()->text, "still booting: the kernel has not reached init");
  p.become_ready(at(2));
  p.see(guest::ConsoleSign::init_stage, "switch", at(3));
  EXPECT_FALSE(p.news());
  BootProgress taken;
  taken.take_over({});
  EXPECT_TRUE(taken.was_ready());
  EXPECT_FALSE(taken.news());
}

} // namespace banger::ops

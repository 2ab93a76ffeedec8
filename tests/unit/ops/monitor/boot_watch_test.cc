#include <gtest/gtest.h>

#include "ops/monitor/boot_watch.h"

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

TEST(BootStage, AClosedPortMeansNothingBeforeTheRootIsUp) {
  EXPECT_EQ(stage_of(view(true, "net", guest::Stage::closed)).word, "init");
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

} // namespace banger::ops

#include <gtest/gtest.h>

#include "ops/link/link.h"
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

TEST(BootStage, TheEndOfTheConsoleIsShownEscaped) {
  Error e = not_ready("demo", {"port", "nothing listens"}, Millis(60'000), "one\n\033[2Jtwo\n");
  EXPECT_EQ(e.code(), Code::timeout);
  EXPECT_NE(e.message().find("\\x1b[2Jtwo"), std::string::npos);
}

TEST(MonitorLink, MessagesSurviveTheWay) {
  MonitorRequest r;
  r.vm = "0123456789ab";
  r.kernel = "/a \"b\"";
  r.accel = Accel::kvm;
  r.tsc_khz = 2'445'000;
  r.adopt = true;
  EXPECT_EQ(parse_monitor_request(to_line(r)), r);

  Report failure{Report::Kind::failed, {}, {}, preflight("missing '{}'", "x").hint("get it"), {}};
  Report back = parse_report(to_line(failure));
  ASSERT_TRUE(back.error);
  EXPECT_EQ(back.error->code(), Code::preflight);
  EXPECT_EQ(back.error->message(), "missing 'x'");
  EXPECT_EQ(back.error->hint(), "get it");

  Ask a = parse_ask(to_line(Ask{"stop", Millis(1500)}));
  EXPECT_EQ(a.verb, "stop");
  EXPECT_EQ(a.timeout, Millis(1500));
}

TEST(MonitorLink, RubbishIsAnErrorAndNewKeysAreNot) {
  EXPECT_THROW(parse_ask("not json"), Error);
  EXPECT_THROW(parse_ask("[1,2]"), Error);
  EXPECT_THROW(parse_report("{\"event\":\"ready\"}"), Error);
  EXPECT_EQ(parse_ask("{\"v\":1,\"verb\":\"kill\",\"new\":[1]}").verb, "kill");
}

} // namespace banger::ops

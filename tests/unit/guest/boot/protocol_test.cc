#include "guest/boot/protocol.h"

#include <gtest/gtest.h>

#include "guest/identity/keygen.h"

namespace banger::guest {
namespace {

Endpoint endpoint() { return {"127.3.4.5", 2222, "root", "/k/id_ed25519", "ssh-ed25519 AAAA"}; }

TEST(Protocol, EveryValueIsReadBack) {
  StageReport report{Stage::no_answer, 1.25, "a \"detail\"\n"};
  EXPECT_EQ(parse_stage_report(to_line(report)), report);
  AwaitRequest await{endpoint(), 12.5};
  EXPECT_EQ(std::get<AwaitRequest>(parse_await_request(to_line(await))), await);
  EXPECT_TRUE(
      std::holds_alternative<HostKeyRequest>(parse_await_request(to_line(HostKeyRequest{}))));
  CommandRequest run{endpoint(), "echo 'a b' > /x", 3};
  EXPECT_EQ(parse_command_request(to_line(run)), run);
  ClockRequest clock{endpoint(), 60};
  EXPECT_EQ(parse_clock_request(to_line(clock)), clock);
  CommandReply reply{137, "out"};
  EXPECT_EQ(parse_command_reply(to_line(reply)), reply);
  KeygenReply keygen{"/k/id_ed25519", "ssh-ed25519 AAAA banger"};
  EXPECT_EQ(parse_keygen_reply(to_line(keygen)), keygen);
  KeyPair key = generate_key();
  EXPECT_EQ(parse_host_key(to_line(key)), key);
}

TEST(Protocol, LinesAreAsPinned) {
  EXPECT_EQ(to_line(StageReport{Stage::banner, 0.5, "SSH-2.0-x"}),
            R"({"v":1,"stage":"banner","seconds":0.5,"detail":"SSH-2.0-x"})");
  EXPECT_EQ(to_line(conflict("no").hint("yes")),
            R"({"v":1,"error":{"code":"conflict","message":"no","hint":"yes"}})");
}

TEST(Protocol, EveryStageHasItsName) {
  for (Stage s : {Stage::connecting, Stage::no_answer, Stage::closed, Stage::banner, Stage::auth,
                  Stage::refused, Stage::mismatch, Stage::ready})
    EXPECT_EQ(parse_stage_report(to_line(StageReport{s, 0, ""})).stage, s) << name_of(s);
}

TEST(Protocol, AReportedErrorIsThrownAsItWas) {
  for (Code code : {Code::failed, Code::usage, Code::not_found, Code::conflict, Code::preflight,
                    Code::timeout, Code::unreachable}) {
    try {
      parse_stage_report(to_line(Error(code, "it broke").hint("mend it")));
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), code);
      EXPECT_EQ(e.message(), "it broke");
      EXPECT_EQ(e.hint(), "mend it");
    }
  }
}

TEST(Protocol, UnknownKeysAreIgnored) {
  EXPECT_EQ(parse_stage_report(R"({"v":1,"stage":"ready","seconds":1,"more":[1]})"),
            (StageReport{Stage::ready, 1, ""}));
}

TEST(Protocol, RefusesWhatItDoesNotKnow) {
  for (auto line : {"", "{", "[]", "1", R"({"stage":"ready","seconds":1})",
                    R"({"v":2,"stage":"ready","seconds":1})", R"({"v":1,"stage":"x","seconds":1})",
                    R"({"v":1,"stage":"ready","seconds":"1"})", R"({"v":1,"error":{}})",
                    R"({"v":1,"error":1})"})
    EXPECT_THROW(parse_stage_report(line), Error) << line;
  AwaitRequest bad{endpoint(), 1};
  for (int port : {0, -1, 65536}) {
    bad.endpoint.port = port;
    EXPECT_THROW(parse_await_request(to_line(bad)), Error);
  }
}

TEST(Protocol, TextThatIsNoUtf8StillMakesALine) {
  EXPECT_EQ(parse_command_reply(to_line(CommandReply{0, "\xff"})).output, "\xef\xbf\xbd");
}

} // namespace
} // namespace banger::guest

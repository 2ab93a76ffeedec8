#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "helper/client.h"
#include "net/flow.h"

namespace banger::net {
namespace {

TEST(Flow, ItsTablesAreTheirProcessesOwnAndTouchOneFlow) {
  std::string rules = watch_rules("banger_ab12_watch3", "bngab12-3", {"udp", "192.0.2.7", 53, 0});
  EXPECT_NE(std::string::npos, rules.find("add table inet banger_ab12_watch3 { flags owner; }\n"));
  size_t count = 0;
  for (size_t at = 0; (at = rules.find("add rule", at)) != std::string::npos; at++) {
    count++;
    std::string rule = rules.substr(at, rules.find('\n', at) - at);
    EXPECT_TRUE(rule.find("ip daddr 192.0.2.7 udp dport 53 counter") != std::string::npos ||
                rule.find("ip saddr 192.0.2.7 udp sport 53 counter") != std::string::npos)
        << rule;
    // It says nothing of what becomes of a packet.
    EXPECT_EQ(std::string::npos, rule.find("accept"));
    EXPECT_EQ(std::string::npos, rule.find("drop"));
  }
  EXPECT_EQ(16u, count);
}

TEST(Flow, CountsAreReadByPlaceAndWay) {
  auto rule = [](const char* chain, const char* way, int packets) {
    return fmt::format(
        R"(, {{"rule": {{"chain": "{}", "comment": "{}", "expr": [{{"match": {{}}}}, {{"counter": {{"packets": {}, "bytes": 1}}}}]}}}})",
        chain, way, packets);
  };
  FlowSeen seen;
  add_counts(R"({"nftables": [{"metainfo": {}})" + rule("from_tap", "there", 3) +
                 rule("to_tap", "back", 2) + rule("elsewhere", "back", 9) + "]}",
             seen);
  EXPECT_EQ((FlowCounts{.from_tap = 3}), seen.there);
  EXPECT_EQ(2u, seen.back.to_tap);
  add_counts("no JSON", seen);
  seen.own_rules = true;
  seen.drops = {{"inet", "their", "way", 7}, {"ip", "filter", "FORWARD", 0}};
  EXPECT_EQ(seen, flow_seen_of(to_json(seen)));
}

TEST(Flow, TheHelperIsAskedToWatch) {
  helper::Ask read = helper::parse_ask(helper::to_line(
      {.verb = "watch", .tag = "ab12", .tap = 3, .port = {"tcp", "192.0.2.7", 443, 0}}));
  EXPECT_EQ("watch", read.verb);
  EXPECT_EQ(3, read.tap);
  EXPECT_EQ((Port{"tcp", "192.0.2.7", 443, 0}), read.port);
}

TEST(Helper, OneThatIsSlowIsNotTakenForOneThatWasNotStarted) {
  auto look = [](const char* script, int patience) {
    try {
      helper::Client({{"/bin/sh", "-c", script}, {}, {}, false}, Millis(patience)).look("ab12");
    } catch (const Error& e) {
      return fmt::format("{}: {}", name_of(e.code()), e.message());
    }
    return std::string("answered");
  };
  auto before = std::chrono::steady_clock::now();
  EXPECT_EQ("timeout: banger's helper does not answer 'look': waited 0.1s",
            look("read ask; exec sleep 60", 100));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(30));
  EXPECT_EQ("preflight: cannot start banger's helper with root's rights: no rule for you",
            look("read ask; echo no rule for you >&2", 30'000));
  EXPECT_EQ("answered", look("read ask; echo '{\"v\":1}'", 30'000));
}

} // namespace
} // namespace banger::net

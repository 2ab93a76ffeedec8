#include <gtest/gtest.h>

#include <map>

#include <fmt/format.h>

#include "net/chain_end.h"

namespace banger::net {
namespace {

// As nft 1.0.6 lists a chain.
std::string listed(std::initializer_list<const char*> rules) {
  std::string all = R"({"nftables": [{"metainfo": {}}, {"chain": {"name": "x"}})";
  for (const char* expressions : rules)
    all += fmt::format(R"(, {{"rule": {{"expr": [{}]}}}})", expressions);
  return all + "]}";
}
constexpr const char* match =
    R"({"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "eth0"}}, {"drop": null})";
constexpr const char* drop = R"({"counter": {"packets": 1, "bytes": 9}}, {"drop": null})";
constexpr const char* reject = R"({"reject": {"type": "icmpx", "expr": "admin-prohibited"}})";
constexpr const char* accept = R"({"accept": null})";

bool drops(std::map<std::string, std::string> chains) {
  return ends_in_drop("x", [&](const std::string& name) { return chains[name]; });
}

TEST(ChainEnd, ALastRuleForAllDrops) {
  EXPECT_TRUE(drops({{"x", listed({drop})}}));
  EXPECT_TRUE(drops({{"x", listed({match, reject})}}));
  EXPECT_TRUE(drops({{"x", listed({R"({"log": {"prefix": "x"}}, {"drop": null})"})}}));
  EXPECT_TRUE(drops({{"x", listed({R"({"xt": {"type": "target", "name": "REJECT"}})"})}}));
  EXPECT_TRUE(
      drops({{"x", listed({R"({"xt": {"type": "match", "name": "comment"}}, {"drop": null})"})}}));
}

TEST(ChainEnd, AConditionOrAnAcceptingRuleBeforeIt) {
  EXPECT_FALSE(drops({{"x", listed({})}}));
  EXPECT_FALSE(drops({{"x", "no JSON"}}));
  EXPECT_FALSE(drops({{"x", listed({match})}}));
  EXPECT_FALSE(drops({{"x", listed({accept, drop})}}));
  EXPECT_FALSE(drops({{"x", listed({R"({"limit": {"rate": 1}}, {"drop": null})"})}}));
  EXPECT_FALSE(drops({{"x", listed({R"({"vmap": {"key": 1}})"})}}));
  EXPECT_FALSE(drops(
      {{"x", listed({R"({"xt": {"type": "match", "name": "multiport"}}, {"drop": null})"})}}));
}

TEST(ChainEnd, ChainsThatItLeadsTo) {
  constexpr const char* jump = R"({"jump": {"target": "y"}})";
  constexpr const char* go = R"({"goto": {"target": "y"}})";
  EXPECT_TRUE(drops({{"x", listed({jump})}, {"y", listed({match, drop})}}));
  EXPECT_TRUE(drops({{"x", listed({jump, drop})}, {"y", listed({match})}}));
  // From a chain that it goes to there is no way back to the rules behind.
  EXPECT_FALSE(drops({{"x", listed({go, drop})}, {"y", listed({match})}}));
  EXPECT_TRUE(drops({{"x", listed({go})}, {"y", listed({drop})}}));
  EXPECT_FALSE(drops({{"x", listed({jump})}, {"y", listed({R"({"return": null})", drop})}}));
  EXPECT_FALSE(drops({{"x", listed({jump})}, {"y", listed({jump})}})); // no kernel takes a circle
}

TEST(ChainEnd, WhatIptablesPrints) {
  auto forward = [](std::string_view rules) { return ends_in_drop(rules, "FORWARD"); };
  EXPECT_TRUE(forward("-P FORWARD ACCEPT\n-A FORWARD -i x -j ACCEPT\n-A FORWARD -j DROP\n"));
  EXPECT_TRUE(forward("-A FORWARD -j REJECT --reject-with icmp-host-prohibited\n"));
  EXPECT_TRUE(forward("-A FORWARD -m comment --comment \"no more\" -j DROP\n"));
  EXPECT_TRUE(forward("-A FORWARD -j LOG\n-A FORWARD -j X\n-A X -g Y\n-A Y -j DROP\n"));
  EXPECT_FALSE(forward("-P FORWARD ACCEPT\n-A INPUT -j DROP\n"));
  EXPECT_FALSE(forward("-A FORWARD -p tcp -j DROP\n"));
  EXPECT_FALSE(forward("-A FORWARD -j ACCEPT\n-A FORWARD -j DROP\n"));
  EXPECT_FALSE(forward("-A FORWARD -m comment --comment x -p tcp -j DROP\n"));
}

} // namespace
} // namespace banger::net

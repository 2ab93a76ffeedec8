#include <gtest/gtest.h>

#include "core/error.h"
#include "fuzz/try.h"
#include "helper/ask.h"
#include "net/bridge_registry.h"
#include "net/bridge_render.h"
#include "net/firewalls.h"

namespace banger::net {
namespace {

Prefix prefix(std::string_view text) { return Subnet::parse(text).as_prefix(); }

TEST(Bridge, ASubnetIsChosenThatTheHostHasNoRouteTo) {
  auto first = choose_subnet("0000", {});
  EXPECT_EQ("10.64.0.0/24", first->text());
  EXPECT_EQ(first, choose_subnet("0000", {prefix("192.168.0.0/16")}));
  EXPECT_EQ("10.64.1.0/24", choose_subnet("0000", {prefix("10.64.0.0/25")})->text());
  EXPECT_EQ("10.65.0.0/24", choose_subnet("0000", {prefix("10.64.0.0/16")})->text());
  EXPECT_EQ("10.64.0.0/24", choose_subnet("3fff", {{{10u << 24 | 127u << 16}, 16}})->text());
  EXPECT_EQ("100.64.5.0/24", choose_subnet("0005", {{{10u << 24}, 8}})->text());
  EXPECT_FALSE(choose_subnet("abcd", {{{10u << 24}, 8}, {{100u << 24 | 64u << 16}, 10}}));
  EXPECT_TRUE(is_in(*choose_subnet("abcd", {}), BridgeLimits().subnets));
  EXPECT_FALSE(is_in(Subnet::parse("10.10.10.0/24"), BridgeLimits().subnets));
  EXPECT_EQ("172.20.17.0/24", choose_subnet("ff11", {}, {parse_range("172.20.0.0/16")})->text());
  EXPECT_NE(choose_subnet("0001", {}), choose_subnet("0002", {}));
}

TEST(Bridge, OnlyAddressesThatAreNobodysMayBeItsOwn) {
  for (const char* own : {"10.0.0.0/16", "172.16.0.0/16", "172.31.255.0/24", "192.168.7.0/24",
                          "100.64.0.0/16", "100.127.0.0/24"})
    EXPECT_TRUE(is_private(Subnet::parse(own))) << own;
  for (const char* anothers : {"8.8.8.0/24", "172.32.0.0/24", "192.169.0.0/16", "100.128.0.0/24",
                               "169.254.0.0/16", "11.0.0.0/24"})
    EXPECT_FALSE(is_private(Subnet::parse(anothers))) << anothers;
}

TEST(Bridge, WhatIsAskedForIsReadAsItWasMeant) {
  helper::Ask ask{.verb = "join", .tag = "ab12"};
  ask.guest = {.tap = 3,
               .address = "10.77.0.4",
               .nat = true,
               .host_open = true,
               .ports = {{"udp", "0.0.0.0", 5353, 53}, {"tcp", "10.77.0.4", 80, 80}}};
  helper::Ask read = helper::parse_ask(to_line(ask));
  EXPECT_EQ(ask.guest, read.guest);
  EXPECT_EQ("join", read.verb);
  EXPECT_EQ("ab12", read.tag);
  read = helper::parse_ask(helper::to_line({.verb = "leave", .tag = "ab12", .taps = {1, 7}}));
  EXPECT_EQ((std::vector<int>{1, 7}), read.taps);
  read = helper::parse_ask(
      helper::to_line({.verb = "up", .tag = "ab12", .subnet = Subnet::parse("10.9.0.0/16")}));
  EXPECT_EQ("10.9.0.0/16", read.subnet->text());
}

// The form of nft's list chains, 1.0.6.
std::string listed(const std::string& chains) {
  return R"({"nftables": [{"metainfo": {"version": "1.0.6"}})" + chains + "]}";
}
std::string chain(const char* family, const char* table, const char* name, const char* hook,
                  const char* policy) {
  std::string c = fmt::format(R"(, {{"chain": {{"family": "{}", "table": "{}", "name": "{}")",
                              family, table, name);
  if (*hook)
    c +=
        fmt::format(R"(, "type": "filter", "hook": "{}", "prio": 0, "policy": "{}")", hook, policy);
  return c + "}}";
}

TEST(Bridge, ChainsThatWouldDropItAreFound) {
  using Way = Pass::Way;
  std::string rules; // of each chain whose policy is accept
  auto passes = [&](const std::string& chains) {
    return parse_passes(listed(chains), "banger_",
                        [&](const auto&, const auto&, const auto&) { return listed(rules); });
  };
  EXPECT_TRUE(passes("").empty());
  EXPECT_TRUE(passes(chain("ip", "filter", "FORWARD", "forward", "accept")).empty());
  EXPECT_TRUE(passes(chain("inet", "banger_ab12", "forward", "forward", "drop")).empty());
  EXPECT_TRUE(passes(chain("ip6", "filter", "FORWARD", "forward", "drop")).empty());
  EXPECT_TRUE(passes(chain("inet", "own", "out", "output", "drop")).empty());
  EXPECT_EQ((std::vector<Pass>{{Way::nftables, "inet", "own", "fwd", true}}),
            passes(chain("inet", "own", "fwd", "forward", "drop")));
  EXPECT_EQ((std::vector<Pass>{{Way::iptables_nft, "ip", "filter", "INPUT", false}}),
            passes(chain("ip", "filter", "INPUT", "input", "drop")));
  std::string forward = chain("ip", "filter", "FORWARD", "forward", "drop");
  EXPECT_EQ((std::vector<Pass>{{Way::iptables_nft, "ip", "filter", "FORWARD", true}}),
            passes(forward));
  EXPECT_EQ((std::vector<Pass>{{Way::iptables_nft, "ip", "filter", "DOCKER-USER", true}}),
            passes(forward + chain("ip", "filter", "DOCKER-USER", "", "")));
  EXPECT_EQ((std::vector<Pass>{{Way::firewalld, "", "", "", true}}),
            passes(chain("inet", "firewalld", "filter_FORWARD", "forward", "accept")));
  // By a last rule.
  rules = R"(, {"rule": {"expr": [{"reject": null}]}})";
  EXPECT_EQ((std::vector<Pass>{{Way::iptables_nft, "ip", "filter", "FORWARD", true}}),
            passes(chain("ip", "filter", "FORWARD", "forward", "accept")));
  EXPECT_EQ((std::vector<Pass>{{Way::nftables, "inet", "own", "in", false}}),
            passes(chain("inet", "own", "in", "input", "accept")));
  EXPECT_TRUE(passes(chain("inet", "banger_ab12", "forward", "forward", "accept")).empty());
  EXPECT_EQ((std::vector<Pass>{{Way::firewalld, "", "", "", true}}),
            passes(chain("inet", "firewalld", "filter_FORWARD", "forward", "accept")));
}

TEST(Bridge, ChainsOfLegacyIptablesThatWouldDropItAreFound) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(Names{}, parse_legacy_passes("-P INPUT ACCEPT\n-P FORWARD ACCEPT\n"));
  EXPECT_EQ((Names{"INPUT", "FORWARD"}), parse_legacy_passes("-P INPUT DROP\n-P FORWARD DROP\n"));
  EXPECT_EQ(Names{"FORWARD"}, parse_legacy_passes("-P FORWARD ACCEPT\n-A FORWARD -j REJECT\n"));
  EXPECT_EQ(Names{"DOCKER-USER"},
            parse_legacy_passes("-P FORWARD DROP\n-N DOCKER-USER\n-A FORWARD -j DOCKER-USER\n"));
}

TEST(Bridge, ARuleForOneLinkIsToldFromOthers) {
  auto rule = [](const char* key, const char* right, const char* more, const char* verdict) {
    return listed(fmt::format(
        R"(, {{"rule": {{"expr": [{{"match": {{"op": "==", "left": {{"meta": {{"key": "{}"}}}}, "right": "{}"}}}}{}, {{"{}": null}}]}}}})",
        key, right, more, verdict));
  };
  EXPECT_TRUE(has_accept(rule("iifname", "bng-ab12", "", "accept"), "iifname", "bng-ab12"));
  EXPECT_FALSE(has_accept(rule("oifname", "bng-ab12", "", "accept"), "iifname", "bng-ab12"));
  EXPECT_FALSE(has_accept(rule("iifname", "bng-ab13", "", "accept"), "iifname", "bng-ab12"));
  EXPECT_FALSE(has_accept(rule("iifname", "bng-ab12", "", "drop"), "iifname", "bng-ab12"));
  // With a further condition it lets only some pass.
  const char* more =
      R"(, {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 22}})";
  EXPECT_FALSE(has_accept(rule("iifname", "bng-ab12", more, "accept"), "iifname", "bng-ab12"));
  EXPECT_FALSE(has_accept("no JSON", "iifname", "bng-ab12"));
}

TEST(Bridge, RulesOfOursInOthersChainsAreToldFromTheirOwn) {
  using Way = Pass::Way;
  auto rule = [](const char* family, const char* table, const char* chain, const char* comment,
                 const char* verdict = "accept") {
    std::string said = *comment ? fmt::format(R"("comment": "{}", )", comment) : "";
    return fmt::format(
        R"(, {{"rule": {{"family": "{}", "table": "{}", "chain": "{}", {}"expr": [{{"match": {{"op": "==", "left": {{"meta": {{"key": "oifname"}}}}, "right": "bng-ab12"}}}}, {{"{}": null}}]}}}})",
        family, table, chain, said, verdict);
  };
  auto rules = [](const std::string& all) { return parse_rules(listed(all), "bng-ab12"); };
  EXPECT_EQ((std::vector<Pass>{{Way::nftables, "inet", "own", "fwd", true}}),
            rules(rule("inet", "own", "fwd", "bng-ab12") + rule("inet", "own", "fwd", "bng-ab12")));
  EXPECT_EQ((std::vector<Pass>{{Way::iptables_nft, "ip", "filter", "INPUT", false}}),
            rules(rule("ip", "filter", "INPUT", "")));
  EXPECT_TRUE(rules(rule("inet", "own", "fwd", "")).empty());
  EXPECT_TRUE(rules(rule("inet", "own", "fwd", "bng-ab13")).empty());
  EXPECT_TRUE(rules(rule("inet", "own", "fwd", "bng-ab12", "drop")).empty());
  EXPECT_TRUE(parse_rules(listed(rule("ip", "filter", "INPUT", "")), "bng-ab13").empty());
}

TEST(Bridge, ALinkInFirewalldsZoneIsKnown) {
  // firewalld 1.3.3, filter_FORWARD_ZONES.
  auto zones = [](const char* link, const char* target) {
    return listed(fmt::format(
        R"(, {{"rule": {{"expr": [{{"match": {{"op": "==", "left": {{"meta": {{"key": "iifname"}}}}, "right": "{}"}}}}, {{"goto": {{"target": "{}"}}}}]}}}})",
        link, target));
  };
  EXPECT_TRUE(is_trusted(zones("bng-ab12", "filter_FWD_trusted"), "bng-ab12"));
  EXPECT_FALSE(is_trusted(zones("bng-ab13", "filter_FWD_trusted"), "bng-ab12"));
  EXPECT_FALSE(is_trusted(zones("bng-ab12", "filter_FWD_public"), "bng-ab12"));
  EXPECT_FALSE(is_trusted("", "bng-ab12"));
}

TEST(Bridge, RulesAreKnownOnlySinceAnothersLastChange) {
  auto known = [](uint32_t since, uint32_t at) {
    return RegisteredBridge{.bridge = {.tag = "ab12"}, .known = {since, at}};
  };
  const RegisteredBridge own = known(5, 9);
  EXPECT_EQ(known_since(own, {}, 9), 5u);
  EXPECT_EQ(known_since(own, {}, 10), 0u);
  // Another bridge's changes were the last.
  EXPECT_EQ(known_since(own, {known(7, 12)}, 12), 7u);
  EXPECT_EQ(known_since(own, {known(9, 12)}, 12), 9u);
  EXPECT_EQ(known_since(own, {known(10, 12)}, 12), 0u); // somebody's was the tenth
  EXPECT_EQ(known_since(own, {known(7, 11)}, 12), 0u);
  EXPECT_EQ(known_since(own, {known(2, 4), known(7, 12)}, 12), 7u);
  // It began again: another network namespace, or more than it can count.
  EXPECT_EQ(known_since(own, {known(1, 3)}, 3), 0u);
  // Nothing is known.
  EXPECT_EQ(known_since(own, {}, 0), 0u);
  EXPECT_EQ(known_since(known(0, 0), {known(1, 3)}, 3), 0u);
}

TEST(Bridge, CountsAreReadByTapAndByAddress) {
  std::string frames = listed(
      R"(, {"set": {"name": "dropped_arp", "elem": [{"elem": {"val": "bngab12-3", "counter": {"packets": 5, "bytes": 1}}}]}})");
  std::string packets = listed(
      R"(, {"set": {"name": "dropped_destination", "elem": [{"elem": {"val": "10.77.0.4", "counter": {"packets": 2, "bytes": 9}}}]}}, {"set": {"name": "nat", "elem": [{"elem": {"val": "10.77.0.4", "counter": {"packets": 7, "bytes": 99}}}, {"elem": {"val": "10.77.0.5", "counter": {"packets": 0, "bytes": 0}}}]}})");
  BridgeCounts counts = read_counts(frames, packets, "ab12");
  ASSERT_EQ(2u, counts.drops.size());
  EXPECT_EQ(3, counts.drops[0].tap);
  EXPECT_EQ("arp", counts.drops[0].reason);
  EXPECT_EQ("10.77.0.4", counts.drops[1].address);
  EXPECT_EQ(2u, counts.drops[1].packets);
  ASSERT_EQ(1u, counts.out.size());
  EXPECT_EQ(99u, counts.out[0].bytes);
}

TEST(Bridge, ItsPromisesHoldForTheSeedsOfTheFuzzer) {
  for (const std::string& seed : fuzz::helper_seeds())
    EXPECT_NO_THROW(fuzz::try_helper(seed)) << seed;
}

} // namespace
} // namespace banger::net

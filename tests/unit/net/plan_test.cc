#include "net/plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "net/holder.h"
#include "net/rule_text.h"
#include "net/rules.h"

namespace banger::net {
namespace {

const Guest guest{3, "52:54:00:01:02:03", "10.0.2.7"};
const Subnet subnet = Subnet::parse("10.0.2.0/24");

TEST(NetPlan, aGuestIsItsTapAndItsTwoElements) {
  Rendered want;
  want.present = {{.kind = Link::Kind::tap, .name = "bngab12-3", .master = "bng-ab12", .mtu = mtu}};
  want.rules = "add element bridge banger_ab12 macs { \"bngab12-3\" . 52:54:00:01:02:03 }\n"
               "add element bridge banger_ab12 addresses { \"bngab12-3\" . 10.0.2.7 }\n";
  EXPECT_EQ(render(join_plan("ab12", guest)), want);
}

TEST(NetPlan, leavingIsTheSameWhateverWasThere) {
  Rendered r = render(leave_plan("ab12", guest));
  EXPECT_EQ(r.absent, std::vector<std::string>{"bngab12-3"});
  EXPECT_TRUE(r.present.empty());
  // Each element is added before it is deleted, in one transaction.
  size_t add = r.rules.find("add element bridge banger_ab12 addresses");
  size_t remove = r.rules.find("delete element bridge banger_ab12 addresses");
  EXPECT_LT(add, remove);
  EXPECT_NE(remove, std::string::npos);
  // Of one of which nothing more is known, the tap alone.
  EXPECT_EQ(render(leave_plan("ab12", {3})), (Rendered{{}, {"bngab12-3"}, {}}));
}

TEST(NetPlan, theBaseHasTheBridgeAndASetForEachReason) {
  Subnet wide = Subnet::parse("10.9.0.0/16");
  Rendered anew = render(base_plan("ab12", wide));
  EXPECT_EQ(anew.present, (std::vector<Link>{{Link::Kind::bridge, "bng-ab12", "",
                                              "52:54:00:09:00:01", "10.9.0.1/16"}}));
  for (std::string_view reason : drop_reasons) {
    EXPECT_NE(anew.rules.find("add set bridge banger_ab12 " + drop_set(reason)), std::string::npos);
    EXPECT_NE(anew.rules.find("update @" + drop_set(reason)), std::string::npos) << reason;
  }
  // A frame that does not come through the way out is a guest's: no tap can be forgotten.
  EXPECT_NE(anew.rules.find("sent iifname \"bngab12-u*\" goto outside"), std::string::npos);
  EXPECT_NE(anew.rules.find("sent goto guest"), std::string::npos);
}

// The kernel's part is shown by tests/system/net_guard.bats.
TEST(NetPlan, whoTakesAHoldersPlaceMakesTheGuardAnewAndKeepsWhoIsIn) {
  Rendered anew = render(base_plan("ab12", subnet)), kept = render(kept_plan("ab12", subnet));
  // Also the way out that all have in a network of a build before, where there is one.
  ASSERT_EQ(kept.present.size(), 2u);
  EXPECT_EQ(kept.present[0], anew.present[0]);
  EXPECT_EQ(kept.present[1].name, "bngab12-up");
  EXPECT_TRUE(kept.present[1].optional);
  EXPECT_EQ(kept.present[1].mtu, 0); // its slirp4netns has the MTU of its own build
  EXPECT_TRUE(anew.rules.ends_with(kept.rules));
  size_t add = kept.rules.find("add chain bridge banger_ab12 out"),
         flush = kept.rules.find("flush chain bridge banger_ab12 out"),
         first =
             kept.rules.find("add rule bridge banger_ab12 out oifname != \"bngab12-u*\" goto in");
  EXPECT_LT(add, flush);
  EXPECT_LT(flush, first);
  EXPECT_NE(first, std::string::npos);
  EXPECT_EQ(kept.rules.find("flush set"), std::string::npos);
  EXPECT_EQ(kept.rules.find("delete"), std::string::npos);
}

TEST(NetPlan, aGuestThatMayReachTheHostHasOneElementMoreAndLosesItWhenItLeaves) {
  Guest open = guest;
  open.host_open = true;
  const std::string element = "element bridge banger_ab12 host_open { \"bngab12-3\" }\n";
  std::string closed = render(join_plan("ab12", guest)).rules;
  EXPECT_EQ(closed.find("host_open"), std::string::npos);
  EXPECT_EQ(render(join_plan("ab12", open)).rules, closed + "add " + element);
  // Whichever kind it was when it joined: a tap's number is given anew.
  EXPECT_NE(render(leave_plan("ab12", guest)).rules.find("delete " + element), std::string::npos);
}

TEST(NetPlan, aWayOutIsOneGuestsInBothDirections) {
  Guest own = guest;
  own.own_way = true;
  const std::string pair = "element bridge banger_ab12 ways { \"bngab12-3\" . \"bngab12-u3\", "
                           "\"bngab12-u3\" . \"bngab12-3\" }\n";
  EXPECT_EQ(render(join_plan("ab12", guest)).rules.find("ways"), std::string::npos);
  EXPECT_NE(render(join_plan("ab12", own)).rules.find("add " + pair), std::string::npos);
  EXPECT_NE(render(leave_plan("ab12", guest)).rules.find("delete " + pair), std::string::npos);
  EXPECT_EQ(
      render(way_plan("ab12", 3)),
      (Rendered{
          {{.kind = Link::Kind::uplink, .name = "bngab12-u3", .master = "bng-ab12", .mtu = mtu}},
          {},
          {}}));
  EXPECT_THROW(render(way_plan("ab12", 0)), Error);
  EXPECT_THROW(render(way_plan("ab12", most_tap + 1)), Error);
}

TEST(NetPlan, theHostsAddressesReplaceThoseOfBefore) {
  EXPECT_EQ(host_rules("banger_ab12", {}), "flush set bridge banger_ab12 host\n");
  EXPECT_EQ(host_rules("banger_ab12", {{parse_address("a", "192.0.2.1"), 32},
                                       {parse_address("a", "127.0.0.0"), 8},
                                       {parse_address("a", "127.0.0.1"), 32}}),
            "flush set bridge banger_ab12 host\n"
            "add element bridge banger_ab12 host { 127.0.0.0/8, 192.0.2.1/32 }\n");
}

TEST(NetPlan, theBridgeTakesWhatIsForItselfOnly) {
  std::string rules = render(base_plan("ab12", subnet)).rules;
  EXPECT_NE(rules.find("taken { type filter hook input priority 0; policy drop; }"),
            std::string::npos);
  EXPECT_NE(rules.find("taken ip daddr 10.0.2.1 ip protocol udp accept"), std::string::npos);
  EXPECT_NE(rules.find("taken ip daddr 10.0.2.1 tcp dport 53 accept"), std::string::npos);
  // While guests stay, too: what an older build made is replaced.
  rules = render(kept_plan("ab12", subnet)).rules;
  size_t cleared = rules.find("flush chain bridge banger_ab12 taken");
  EXPECT_LT(cleared, rules.find("taken ip daddr 10.0.2.1 tcp dport 53 accept"));
  for (std::string chain : {"sent", "outside", "guest"}) {
    cleared = rules.find("flush chain bridge banger_ab12 " + chain);
    EXPECT_LT(cleared, rules.find("add rule bridge banger_ab12 " + chain)) << chain;
  }
}

TEST(NetPlan, eachGuestAsksForNamesSoOften) {
  std::string rules = names_rules("banger_ab12");
  EXPECT_NE(rules.find("update @asking { iifname limit rate over 2000/second"), std::string::npos);
}

// A plan may come from a program with fewer rights: nothing of it can become a rule or a name.
TEST(NetPlan, whatNoBangerSaysIsRefused) {
  const std::string rule = "10.0.2.7 }\nflush ruleset\n";
  for (const Guest& bad :
       {Guest{0, guest.mac, guest.address}, Guest{-1, guest.mac, guest.address},
        Guest{most_tap + 1, guest.mac, guest.address}, Guest{3, "52:54:00:01:02", guest.address},
        Guest{3, "52:54:00:01:02:0G", guest.address}, Guest{3, "52-54-00-01-02-03", guest.address},
        Guest{3, rule, guest.address}, Guest{3, guest.mac, rule}, Guest{3, guest.mac, "10.0.2.300"},
        Guest{3, guest.mac, ""}, Guest{3, "", guest.address}}) {
    EXPECT_THROW(render(join_plan("ab12", bad)), Error) << bad.tap << bad.mac << bad.address;
    EXPECT_THROW(render(leave_plan("ab12", bad)), Error) << bad.tap << bad.mac << bad.address;
  }
  EXPECT_THROW(render(join_plan("ab12", {3})), Error);
  for (const char* tag : {"", "ab1", "ab123", "AB12", "ab 2", "a\"b2"})
    EXPECT_THROW(render(base_plan(tag, subnet)), Error) << tag;
}

TEST(NetPlan, namesFitTheKernels) {
  for (const std::string& name : {bridge_name("ffff"), shared_way_name("ffff"),
                                  way_name("ffff", most_tap), tap_name("ffff", most_tap)})
    EXPECT_LE(name.size(), 15u) << name;
  EXPECT_EQ(tap_number("ffff", tap_name("ffff", most_tap)), most_tap);
  EXPECT_EQ(tap_number("ab12", "bngab12-3"), 3);
  for (const char* other : {"bngab12-up", "bngab12-", "bngab12-0", "bngab12-03", "bngab12-3x",
                            "bngab13-3", "bng-ab12", "", "bngab12-99999999999999999999"})
    EXPECT_EQ(tap_number("ab12", other), std::nullopt) << other;
}

TEST(Holder, aPlanArrivesAsItWasSent) {
  Guest open{4, "52:54:00:01:02:04", "10.0.2.8", true};
  NetPlan all = base_plan("ab12", Subnet::parse("10.9.0.0/16"));
  all.uplink = true;
  all.ways = {7};
  all.leave = {guest, {7}};
  all.join = {open, guest};
  for (const NetPlan& plan : {all, kept_plan("ab12", subnet), way_plan("x\"\n", 3), NetPlan{}}) {
    HolderAsk ask{.verb = "make", .plan = plan};
    std::string line = to_line(ask);
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
    EXPECT_EQ(parse_holder_ask(line), ask);
  }
  for (const char* bad :
       {"", "{}", "[]", "{\"v\":1,\"plan\":3}", "{\"v\":1,\"do\":7}", "\xff",
        "{\"v\":1,\"forward\":[]}", "{\"v\":1,\"forward\":{\"host\":\"x\"}}",
        R"({"v":1,"do":"make"})", R"({"v":1,"do":"make","network":{"base":"new"}})",
        R"({"v":1,"do":"make","network":{"base":"anew","subnet":"x"}})",
        R"({"v":1,"do":"make","network":{"base":"as_is","join":[{"tap":"1"}]}})"})
    EXPECT_THROW(parse_holder_ask(bad), Error) << bad;
}

// The monitor of a VM that an older build started goes on saying it so.
TEST(Holder, linksAndRulesOfTheBuildBeforeAreUnderstood) {
  HolderAsk want{.verb = "apply"};
  want.rendered = {{{Link::Kind::bridge, "bng-ab12", "", "52:54:00:00:02:01", "10.0.2.1/24"},
                    {Link::Kind::tap, "bngab12-3", "bng-ab12"}},
                   {"bngab12-4"},
                   "add table bridge x\n"};
  EXPECT_EQ(parse_holder_ask(
                R"({"v":1,"do":"apply","plan":{"present":[{"kind":"bridge","name":"bng-ab12",)"
                R"("master":"","mac":"52:54:00:00:02:01","address":"10.0.2.1/24"},{"kind":"tap",)"
                R"("name":"bngab12-3","master":"bng-ab12","mac":"","address":""}],)"
                R"("absent":["bngab12-4"],"rules":"add table bridge x\n"}})"),
            want);
}

TEST(Holder, aRelayArrivesAsItWasSent) {
  HolderAsk ask{.verb = "relay", .forward = {{"udp", "127.1.2.3", 5353, 53}, "10.0.2.9"}};
  EXPECT_EQ(parse_holder_ask(to_line(ask)), ask);
  EXPECT_EQ(to_text(ask.forward), "127.1.2.3:5353/udp to 10.0.2.9:53");
  EXPECT_EQ(relays_reply({ask.forward}),
            R"({"v":1,"relays":[{"proto":"udp","host_address":"127.1.2.3","host":5353,)"
            R"("guest_address":"10.0.2.9","guest":53}]})"
            "\n");
}

TEST(Drops, areReadFromWhatNftablesPrints) {
  std::string json = R"({"nftables": [{"metainfo": {"version": "1.0.6"}},
    {"set": {"family": "bridge", "name": "macs", "table": "banger_ab12",
             "elem": [{"concat": ["bngab12-1", "52:54:00:00:00:01"]}]}},
    {"set": {"family": "bridge", "name": "dropped_arp", "table": "banger_ab12", "elem": [
      {"elem": {"val": "bngab12-1", "counter": {"packets": 7, "bytes": 322}}},
      {"elem": {"val": "bngab12-2", "counter": {"packets": 0, "bytes": 0}}}]}},
    {"set": {"family": "bridge", "name": "dropped_dhcp", "table": "banger_ab12"}}]})";
  EXPECT_EQ(parse_drops(json), (std::vector<Drop>{{"bngab12-1", "arp", 7}}));
  EXPECT_TRUE(parse_drops("nonsense").empty());
  EXPECT_TRUE(parse_drops("{}").empty());
}

} // namespace
} // namespace banger::net

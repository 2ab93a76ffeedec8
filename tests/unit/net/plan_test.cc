#include "net/plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "net/holder.h"
#include "net/rules.h"

namespace banger::net {
namespace {

const Guest guest{"bngab12-3", "52:54:00:01:02:03", "10.0.2.7"};

TEST(NetPlan, aGuestsPlanIsItsTapAndItsTwoElements) {
  NetPlan want;
  want.present = {{Link::Kind::tap, "bngab12-3", "bng-ab12"}};
  want.rules = "add element bridge banger_ab12 macs { \"bngab12-3\" . 52:54:00:01:02:03 }\n"
               "add element bridge banger_ab12 addresses { \"bngab12-3\" . 10.0.2.7 }\n";
  EXPECT_EQ(join_plan("ab12", guest), want);
}

TEST(NetPlan, leavingIsTheSameWhateverWasThere) {
  NetPlan plan = leave_plan("ab12", guest);
  EXPECT_EQ(plan.absent, std::vector<std::string>{"bngab12-3"});
  EXPECT_TRUE(plan.present.empty());
  // Each element is added before it is deleted, in one transaction.
  size_t add = plan.rules.find("add element bridge banger_ab12 addresses");
  size_t remove = plan.rules.find("delete element bridge banger_ab12 addresses");
  EXPECT_LT(add, remove);
  EXPECT_NE(remove, std::string::npos);
}

TEST(NetPlan, theBaseHasTheBridgeAndASetForEachReason) {
  Subnet subnet = Subnet::parse("10.9.0.0/16");
  NetPlan plan = base_plan("ab12", subnet);
  EXPECT_EQ(plan.present, (std::vector<Link>{{Link::Kind::bridge, "bng-ab12", "",
                                              "52:54:00:09:00:01", "10.9.0.1/16"}}));
  for (std::string_view reason : drop_reasons) {
    EXPECT_NE(plan.rules.find("add set bridge banger_ab12 " + drop_set(reason)), std::string::npos);
    EXPECT_NE(plan.rules.find("update @" + drop_set(reason)), std::string::npos) << reason;
  }
  // What does not come through the way out is a guest's: no tap can be forgotten.
  EXPECT_NE(plan.rules.find("sent iifname \"bngab12-up\" goto outside"), std::string::npos);
  EXPECT_NE(plan.rules.find("sent goto guest"), std::string::npos);
  EXPECT_NE(plan.rules.find(guard_plan("ab12", subnet).rules), std::string::npos);
  // One that takes another's place leaves the table alone: the guests are in it.
  NetPlan bridge = bridge_plan("ab12", subnet);
  EXPECT_EQ(bridge.present, plan.present);
  EXPECT_EQ(bridge.rules, "");
}

// Whoever reads these finds nothing between `never out` and its drop; the kernel's part is shown by
// tests/system/net_guard.bats.
TEST(NetPlan, theGuardIsMadeAnewInOneTransactionAndKeepsWhatItKnows) {
  std::string rules = guard_plan("ab12", Subnet::parse("10.0.2.0/24")).rules;
  size_t add = rules.find("add chain bridge banger_ab12 out"),
         flush = rules.find("flush chain bridge banger_ab12 out"),
         first = rules.find("add rule bridge banger_ab12 out oifname != \"bngab12-up\" accept");
  EXPECT_LT(add, flush);
  EXPECT_LT(flush, first);
  EXPECT_NE(first, std::string::npos);
  EXPECT_EQ(rules.find("flush set"), std::string::npos);
  EXPECT_EQ(rules.find("delete"), std::string::npos);
}

TEST(NetPlan, aGuestThatMayReachTheHostHasOneElementMoreAndLosesItWhenItLeaves) {
  Guest open = guest;
  open.host_open = true;
  const std::string element = "element bridge banger_ab12 host_open { \"bngab12-3\" }\n";
  EXPECT_EQ(join_plan("ab12", guest).rules.find("host_open"), std::string::npos);
  EXPECT_EQ(join_plan("ab12", open).rules, join_plan("ab12", guest).rules + "add " + element);
  // Whatever it was when it joined: a tap's number is given anew.
  EXPECT_NE(leave_plan("ab12", guest).rules.find("delete " + element), std::string::npos);
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
  NetPlan plan = base_plan("ab12", Subnet::parse("10.0.2.0/24"));
  EXPECT_NE(plan.rules.find("taken { type filter hook input priority 0; policy drop; }"),
            std::string::npos);
  EXPECT_NE(plan.rules.find("taken ip daddr 10.0.2.1 ip protocol udp accept"), std::string::npos);
}

TEST(NetPlan, namesFitTheKernels) {
  for (const std::string& name :
       {bridge_name("ffff"), uplink_name("ffff"), tap_name("ffff", 65000)})
    EXPECT_LE(name.size(), 15u) << name;
}

TEST(Holder, aPlanArrivesAsItWasSent) {
  HolderAsk ask{"apply", join_plan("ab12", guest), {}};
  ask.plan.absent = {"x\"\n", "y"};
  ask.plan.present.push_back({Link::Kind::bridge, "b", "", "52:54:00:00:02:01", "10.0.2.1/24"});
  std::string line = to_line(ask);
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_EQ(parse_holder_ask(line), ask);
  for (const char* bad : {"", "{}", "[]", "{\"v\":1,\"plan\":3}", "{\"v\":1,\"do\":7}", "\xff",
                          "{\"v\":1,\"forward\":[]}", "{\"v\":1,\"forward\":{\"host\":\"x\"}}"})
    EXPECT_THROW(parse_holder_ask(bad), Error) << bad;
}

TEST(Holder, aRelayArrivesAsItWasSent) {
  HolderAsk ask{"relay", {}, {}, {{"udp", "127.1.2.3", 5353, 53}, "10.0.2.9"}};
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

#include "net/bridge_faults.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "net/bridge_plan.h"
#include "net/bridge_render.h"
#include "net/plan.h"

namespace banger::net {
namespace {

struct Rule {
  std::string family, chain;
};

std::vector<Rule> rules_of(const Bridge& bridge) {
  std::vector<Rule> rules;
  for (const std::string& line : split(bridge_rules(bridge), '\n')) {
    std::vector<std::string> words = split(line, ' ');
    if (line.starts_with("add rule ")) rules.push_back({words[2], words[4]});
  }
  return rules;
}

// As nft lists them (libnftables-json(5)), so far as it is looked at.
ListedTables listed(const std::string& tag, const std::vector<Rule>& rules) {
  nlohmann::json frames = nlohmann::json::array(), packets = frames;
  for (const Rule& r : rules)
    (r.family == "bridge" ? frames : packets)
        .push_back(
            {{"rule", {{"family", r.family}, {"table", table_name(tag)}, {"chain", r.chain}}}});
  return {nlohmann::json{{"nftables", frames}}.dump(),
          nlohmann::json{{"nftables", packets}}.dump()};
}

TEST(BridgeFaults, EachRuleThatATableLacksIsMissed) {
  const Bridge bridge{.tag = "ab12",
                      .subnet = Subnet::parse("10.77.0.0/24"),
                      .uplinks = {{"eth0", true}, {"wlan0", false}}};
  const std::vector<Rule> all = rules_of(bridge);
  ASSERT_GT(all.size(), 10u);
  EXPECT_TRUE(thin_tables(bridge, listed("ab12", all)).empty());
  for (size_t i = 0; i < all.size(); i++) {
    std::vector<Rule> some = all;
    some.erase(some.begin() + static_cast<ptrdiff_t>(i));
    EXPECT_EQ(std::vector{all[i].family}, thin_tables(bridge, listed("ab12", some)))
        << i << ": " << all[i].chain;
    // Another's rule, in a chain beside it, is no substitute.
    some.push_back({all[i].family, "theirs"});
    EXPECT_EQ(std::vector{all[i].family}, thin_tables(bridge, listed("ab12", some)));
  }
}

TEST(BridgeFaults, OfTablesThatAreNotThereAllIsMissed) {
  const Bridge bridge{.tag = "ab12", .subnet = Subnet::parse("10.77.0.0/24")};
  const std::vector<std::string> both{"bridge", "inet"};
  EXPECT_EQ(both, thin_tables(bridge, {}));
  EXPECT_EQ(both, thin_tables(bridge, {"", "no json"}));
  EXPECT_EQ(both, thin_tables(bridge, listed("ab12", {})));
}

} // namespace
} // namespace banger::net

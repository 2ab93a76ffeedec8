#include "model/subnet.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace banger {
namespace {

Address a(const char* text) { return parse_address("address", text); }

TEST(Prefixes, noneStaysWithinAnother) {
  auto p = [](const char* address, int length) {
    return Prefix{parse_address("a", address), length};
  };
  EXPECT_EQ(merged({p("10.0.0.5", 32), p("10.0.0.0", 8), p("10.0.0.0", 24), p("11.0.0.0", 32),
                    p("10.0.0.5", 32)}),
            (std::vector<Prefix>{p("10.0.0.0", 8), p("11.0.0.0", 32)}));
  EXPECT_EQ(merged({p("0.0.0.0", 0), p("255.255.255.255", 32)}),
            (std::vector<Prefix>{p("0.0.0.0", 0)}));
  EXPECT_EQ(merged({}), std::vector<Prefix>{});
  EXPECT_EQ(to_text(p("192.168.1.0", 24)), "192.168.1.0/24");
}

TEST(Subnet, knowsItsPlaces) {
  Subnet s = Subnet::parse("10.0.2.0/24");
  EXPECT_EQ(to_text(s.bridge()), "10.0.2.1");
  EXPECT_EQ(to_text(s.way_out()), "10.0.2.2");
  EXPECT_EQ(to_text(s.resolver()), "10.0.2.3");
  EXPECT_EQ(s.text(), "10.0.2.0/24");
  EXPECT_EQ(Subnet::around("10.0.2.77", 24), s);
}

TEST(Subnet, givesOnlyWhatIsForGuests) {
  Subnet s = Subnet::parse("192.168.0.0/16");
  for (const char* no : {"192.168.0.0", "192.168.0.1", "192.168.0.2", "192.168.0.3", "192.168.0.15",
                         "192.168.255.255", "192.169.0.4", "192.167.255.255"})
    EXPECT_FALSE(s.is_for_guests(a(no))) << no;
  for (const char* yes : {"192.168.0.4", "192.168.0.14", "192.168.0.16", "192.168.255.254"})
    EXPECT_TRUE(s.is_for_guests(a(yes))) << yes;
}

TEST(Subnet, AMacFollowsTheAddress) {
  EXPECT_EQ(mac_of(parse_address("address", "10.0.2.200")), "52:54:00:00:02:c8");
}

TEST(Subnet, leasesTheLowestFreeUntilNoneIsLeft) {
  Subnet s = Subnet::parse("10.9.8.0/25");
  std::set<Address> taken;
  std::vector<std::string> given;
  while (auto next = s.lowest_free(taken)) {
    taken.insert(*next);
    given.push_back(to_text(*next));
  }
  ASSERT_EQ(given.size(), 128u - 6);
  EXPECT_EQ(given.front(), "10.9.8.4");
  EXPECT_EQ(given[11], "10.9.8.16") << ".15 is slirp4netns' own";
  EXPECT_EQ(given.back(), "10.9.8.126");
  taken.erase(a("10.9.8.7"));
  EXPECT_EQ(to_text(*s.lowest_free(taken)), "10.9.8.7");
}

TEST(Subnet, refusesWhatNoNetworkCanBeMadeOf) {
  for (const char* bad : {"", "10.0.2.0", "10.0.2.0/", "10.0.2.1/24", "10.0.2.0/8", "10.0.2.0/26",
                          "10.0.2/24", "127.0.0.0/24", "224.0.0.0/24", "0.0.0.0/16",
                          "10.0.2.256/24", "a.b.c.d/24", "10.0.2.0/24/1", "10.0.2.0/-1"})
    EXPECT_THROW(Subnet::parse(bad), Error) << bad;
}

} // namespace
} // namespace banger

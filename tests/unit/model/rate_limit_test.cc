#include "model/rate_limit.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace banger {

TEST(RateLimit, AWordSaysWhatIsLimitedAndToWhat) {
  RateLimits limits =
      changed_by({}, {parse_limit("root.bandwidth=20M"), parse_limit("root.ops=500"),
                      parse_limit("work.ops=7"), parse_limit("net.bandwidth=64K")});
  EXPECT_EQ(limits, (RateLimits{{20 << 20, 500}, {0, 7}, {64 << 10, 0}}));
  EXPECT_EQ(to_text(limits), "root 20M/s and 500 ops/s, work 7 ops/s, net 64K/s");
  limits = changed_by(limits, {parse_limit("root.ops=none"), parse_limit("work.ops=8"),
                               parse_limit("work.ops=none")});
  EXPECT_EQ(limits, (RateLimits{{20 << 20, 0}, {}, {64 << 10, 0}}));
  EXPECT_EQ(to_text(RateLimits{}), "");
  EXPECT_FALSE(RateLimits{});
}

TEST(RateLimit, WhatIsNoneIsRefused) {
  for (const char* bad : {"",
                          "root",
                          "root=20M",
                          "root.bandwidth",
                          "disk.bandwidth=1M",
                          "root.speed=1M",
                          ".bandwidth=1M",
                          "root.=1M",
                          "root.bandwidth=",
                          "root.bandwidth=0",
                          "root.bandwidth=63K",
                          "root.bandwidth=1x",
                          "root.ops=0",
                          "root.ops=-1",
                          "root.ops=1M",
                          "root.ops=1000000001",
                          "root.bandwidth=2T",
                          "ROOT.ops=1",
                          "root.ops=1=2",
                          "root.bandwidth.ops=1"})
    EXPECT_THROW(parse_limit(bad), Error) << bad;
}

TEST(RateLimit, ProgramsSayAllOfThem) {
  for (const RateLimits& limits :
       {RateLimits{}, RateLimits{{1 << 20, 0}, {0, 9}, {65537, 1'000'000'000}}})
    EXPECT_EQ(limits_of_words(to_words(limits)), limits) << to_words(limits);
  EXPECT_EQ(to_words({{1 << 20, 0}, {}, {0, 5}}),
            "root.bandwidth=1048576 root.ops=none work.bandwidth=none work.ops=none "
            "net.bandwidth=none net.ops=5");
}

} // namespace banger

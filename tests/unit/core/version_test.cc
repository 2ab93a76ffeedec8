#include "core/version.h"

#include <gtest/gtest.h>

namespace banger {
namespace {

TEST(Version, IsOlderByItsNumbers) {
  EXPECT_TRUE(is_older("0.1.0", "0.1.1"));
  EXPECT_TRUE(is_older("0.9", "0.10"));
  EXPECT_TRUE(is_older("1", "1.0.1"));
  EXPECT_TRUE(is_older("0.1.0", "1"));
  EXPECT_TRUE(is_older("", "0.1"));
  EXPECT_FALSE(is_older("0.1.0", "0.1.0"));
  EXPECT_FALSE(is_older("1.0", "1"));
  EXPECT_FALSE(is_older("0.10", "0.9"));
  EXPECT_FALSE(is_older("2.0.0", "1.9.9"));
}

TEST(Version, OfThisBuildIsNotOlderThanItself) { EXPECT_FALSE(is_older(version(), version())); }

} // namespace
} // namespace banger

#include "core/clock.h"

#include <gtest/gtest.h>

namespace banger {
namespace {

TEST(Clock, Rfc3339InUtcWithMilliseconds) {
  EXPECT_EQ(to_rfc3339({0}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339({1'769'860'800'123'999'999}), "2026-01-31T12:00:00.123Z");
  EXPECT_EQ(to_rfc3339({951'782'400'000'000'000}), "2000-02-29T00:00:00.000Z");
}

TEST(Clock, WallTimeIsNow) {
  // After this was written, and before banger is a museum piece.
  EXPECT_GT(wall_now().ns, int64_t{1'700'000'000} * 1'000'000'000);
  EXPECT_LT(wall_now().ns, int64_t{9'000'000'000} * 1'000'000'000);
}

} // namespace
} // namespace banger

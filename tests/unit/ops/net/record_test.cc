// What is told of a network by its record.
#include <gtest/gtest.h>

#include "ops/net/record.h"

namespace banger::ops {

TEST(NetRecord, GuestsAreToldTheResolverThatThereIsOrWasAndThatOfTheirWayOutElse) {
  const Subnet subnet = Subnet::parse("10.0.2.0/24");
  NetRecord r;
  EXPECT_EQ(to_text(resolver_of(r, subnet)), "10.0.2.3");
  r.resolver = {.pid = 7, .start_time = 1, .boot_id = "b"};
  r.resolver_known = r.resolver_ready = true;
  EXPECT_EQ(to_text(resolver_of(r, subnet)), "10.0.2.1");
  // While it is brought back.
  r.resolver_ready = false;
  EXPECT_EQ(to_text(resolver_of(r, subnet)), "10.0.2.1");
}

} // namespace banger::ops

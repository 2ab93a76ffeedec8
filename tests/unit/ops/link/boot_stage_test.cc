#include "ops/link/boot_stage.h"

#include <gtest/gtest.h>

namespace banger::ops {

TEST(BootStage, TheEndOfTheConsoleIsShownEscaped) {
  Error e = not_ready("demo", {"port", "nothing listens"}, Millis(60'000),
                      {Millis(20'000), Millis(60'000)}, "one\n\033[2Jtwo\n");
  EXPECT_EQ(e.code(), Code::timeout);
  EXPECT_NE(e.message().find("\\x1b[2Jtwo"), std::string::npos);
  EXPECT_NE(e.message().find("after 1m 0s (3 times the timeout of 20s"), std::string::npos)
      << e.message();
  Error plain = not_ready("demo", {"port", "nothing listens"}, Millis(20'000),
                          {Millis(20'000), Millis(20'000)}, "");
  EXPECT_EQ("'demo' is not ready after 20s: nothing listens", plain.message());
}

} // namespace banger::ops

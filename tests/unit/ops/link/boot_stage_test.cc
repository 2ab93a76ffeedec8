#include "ops/link/boot_stage.h"

#include <gtest/gtest.h>

namespace banger::ops {

TEST(BootStage, TheEndOfTheConsoleIsShownEscaped) {
  Error e = not_ready("demo", {"port", "nothing listens"}, Millis(60'000), "one\n\033[2Jtwo\n");
  EXPECT_EQ(e.code(), Code::timeout);
  EXPECT_NE(e.message().find("\\x1b[2Jtwo"), std::string::npos);
}

} // namespace banger::ops

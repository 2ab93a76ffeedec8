#include "guest/ssh/streams.h"

#include <gtest/gtest.h>

namespace banger::guest {
namespace {

// The bytes that get through, and whether the escape left.
std::pair<std::string, bool> typed(const std::vector<std::string>& parts) {
  Escape escape;
  std::string all;
  for (std::string part : parts) {
    escape.filter(part);
    all += part;
  }
  return {all, escape.leaves()};
}

TEST(SshEscape, LeavesAtTheBeginningOfALineOnly) {
  using Result = std::pair<std::string, bool>;
  EXPECT_EQ(typed({"~."}), Result("~.", true));
  EXPECT_EQ(typed({"ls\r", "~", "."}).second, true);
  EXPECT_EQ(typed({"a~.\r"}), Result("a~.\r", false));
  EXPECT_EQ(typed({"~~.\r"}), Result("~.\r", false));
  EXPECT_EQ(typed({"~", "x"}), Result("~x", false));
  EXPECT_EQ(typed({"cd ~\r", "ls ~/a\r"}), Result("cd ~\rls ~/a\r", false));
  EXPECT_EQ(typed({"~\r~."}), Result("~\r~.", true));
}

} // namespace
} // namespace banger::guest

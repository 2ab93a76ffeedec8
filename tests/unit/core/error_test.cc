#include "core/error.h"

#include <gtest/gtest.h>

namespace banger {

TEST(Error, MessageGainsContextOnTheWayUp) {
  Error e = sys_error(ENOENT, "cannot open '{}'", "/x");
  e.within("cannot start 'demo'");
  EXPECT_EQ(e.message(), "cannot start 'demo': cannot open '/x': no such file or directory");
  EXPECT_EQ(e.error_number(), ENOENT);
}

TEST(Error, EachCodeHasTheStatusOfTheContract) {
  EXPECT_EQ(exit_status(Code::failed), 1);
  EXPECT_EQ(exit_status(Code::unreachable), 1);
  EXPECT_EQ(exit_status(Code::usage), 2);
  EXPECT_EQ(exit_status(Code::not_found), 3);
  EXPECT_EQ(exit_status(Code::conflict), 4);
  EXPECT_EQ(exit_status(Code::preflight), 5);
  EXPECT_EQ(exit_status(Code::timeout), 6);
}

} // namespace banger

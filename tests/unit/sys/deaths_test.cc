// Several processes followed by one descriptor.
#include <gtest/gtest.h>

#include "sys/deaths.h"
#include "sys/proc.h"
#include "sys/process.h"
#include "sys/wait.h"

namespace banger::sys {

TEST(Deaths, OneOfSeveralIsTold) {
  Child first = spawn({{"sleep", "600"}, {}, {}}, {}),
        second = spawn({{"sleep", "600"}, {}, {}}, {});
  ProcessId one = *find_process(first.pid()), two = *find_process(second.pid());
  Deaths deaths;
  EXPECT_TRUE(deaths.follow({one, two, one}));
  EXPECT_FALSE(is_readable(deaths.fd()));
  second.kill(SIGKILL);
  EXPECT_TRUE(wait_readable(deaths.fd(), Millis(10'000)));
  // Quiet again for those that live; that one was not all is told.
  EXPECT_FALSE(deaths.follow({one, two}));
  EXPECT_FALSE(is_readable(deaths.fd()));
  EXPECT_TRUE(deaths.follow({one}));
  EXPECT_TRUE(deaths.follow({}));
  first.kill(SIGKILL);
  first.wait();
  EXPECT_FALSE(is_readable(deaths.fd()));
  EXPECT_FALSE(deaths.follow({one}));
}

TEST(Deaths, AnotherOfThatPidIsNone) {
  ProcessId self = this_process();
  Deaths deaths;
  EXPECT_TRUE(deaths.follow({self}));
  self.start_time++;
  EXPECT_FALSE(deaths.follow({self}));
}

} // namespace banger::sys

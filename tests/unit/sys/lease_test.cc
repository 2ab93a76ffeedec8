// A file that nobody else changes for a while.
#include "sys/lease.h"

#include <chrono>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/handle.h"
#include "sys/file.h"

namespace banger::sys {

namespace {

struct LeaseTest : testing::Test {
  std::string path = testing::TempDir() + "/leased-" + std::to_string(::getpid());
  Fd file = open_file(path, O_RDWR | O_CREAT);
  void TearDown() override { remove_file(path); }
  // Would wait for the lease; this one does not, but the kernel tells its holder.
  int knock(int flags) { return ::open(path.c_str(), flags | O_NONBLOCK | O_CLOEXEC); }
};

} // namespace

TEST_F(LeaseTest, WhoeverHasTheFileOpenForWritingKeepsItFromBeingHad) {
  Fd other = open_file(path, O_RDWR);
  EXPECT_THROW(Lease(file.get(), path, Millis(50)), Error);
  other.reset();
  EXPECT_NO_THROW(Lease(file.get(), path, Millis(0)));
}

TEST_F(LeaseTest, ItIsHadAsSoonAsTheLastOneClosesTheFile) {
  Fd other = open_file(path, O_RDWR);
  std::thread closer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    other.reset();
  });
  EXPECT_NO_THROW(Lease(file.get(), path, Millis(30'000)));
  closer.join();
}

TEST_F(LeaseTest, NobodyOpensTheFileForWritingUntilItGoes) {
  {
    Lease lease(file.get(), path, Millis(0));
    lease.require_held();
    EXPECT_EQ(knock(O_WRONLY), -1);
    EXPECT_EQ(errno, EWOULDBLOCK);
    EXPECT_THROW(lease.require_held(), Error) << "somebody waits for it";
  }
  EXPECT_GE(Fd(knock(O_WRONLY)).get(), 0);
}

TEST_F(LeaseTest, OneWhoWaitsToReadTakesNothingFromIt) {
  Lease lease(file.get(), path, Millis(0));
  EXPECT_EQ(knock(O_RDONLY), -1);
  EXPECT_NO_THROW(lease.require_held());
}

} // namespace banger::sys

#include "guest/tree/remote_pipe.h"

#include <array>
#include <thread>

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include "guest/ssh/server.h"

namespace banger::guest {
namespace {

using namespace std::chrono_literals;

class RemotePipeTest : public ::testing::Test {
protected:
  void SetUp() override {
    server_ = TestServer::start(TestServer::Kind::sshd);
    if (!server_) server_ = TestServer::start(TestServer::Kind::dropbear);
    if (!server_) GTEST_SKIP() << "no ssh server here";
  }
  std::shared_ptr<Session> session() const {
    return std::make_shared<Session>(Session::connect(server_->endpoint(), Deadline(20s)));
  }
  // As if a signal came: its descriptor becomes readable.
  void signal() const { ASSERT_EQ(::eventfd_write(signals_.get(), 1), 0); }

  std::unique_ptr<TestServer> server_;
  Fd signals_{::eventfd(0, EFD_CLOEXEC)};
  std::array<char, 1000> few_; // less than a packet: more is there at once
};

TEST_F(RemotePipeTest, ASignalEndsAReadThatWaits) {
  RemotePipe pipe(session(), "exec sleep 60", signals_.get());
  std::jthread later([&] {
    std::this_thread::sleep_for(100ms);
    signal();
  });
  EXPECT_THROW(pipe.read(few_), Interrupted);
}

TEST_F(RemotePipeTest, ASignalEndsReadsOfWhatNeverEnds) {
  RemotePipe pipe(session(), "exec cat /dev/zero", signals_.get());
  EXPECT_GT(pipe.read(few_), 0u);
  signal();
  EXPECT_THROW(pipe.read(few_), Interrupted);
}

TEST_F(RemotePipeTest, ASignalEndsWritesThatNeverWait) {
  RemotePipe pipe(session(), "exec cat >/dev/null", signals_.get());
  EXPECT_TRUE(pipe.write("x"));
  signal();
  EXPECT_THROW(pipe.write("x"), Interrupted);
}

TEST_F(RemotePipeTest, ASignalEndsTheWaitForTheEndOfWhatNeverEnds) {
  RemotePipe pipe(session(), "exec cat /dev/zero", signals_.get());
  EXPECT_GT(pipe.read(few_), 0u);
  signal();
  EXPECT_THROW(pipe.finish(), Interrupted);
}

// Else a guest that goes on and on would never be done with.
TEST_F(RemotePipeTest, WhatNobodyAskedForIsBounded) {
  {
    RemotePipe pipe(session(), "exec cat /dev/zero", -1);
    EXPECT_THROW(pipe.read_line(), Error);
  }
  {
    RemotePipe pipe(session(), "exec cat /dev/zero", -1);
    EXPECT_THROW(pipe.finish(), Error);
  }
  {
    RemotePipe pipe(session(), "exec cat /dev/zero", -1);
    std::string much(size_t{8} << 20, 'x');
    EXPECT_THROW(pipe.write(much), Error);
  }
  RemotePipe pipe(session(), "exec cat /dev/zero >&2", -1);
  EXPECT_THROW(pipe.read(few_), Error);
}

} // namespace
} // namespace banger::guest

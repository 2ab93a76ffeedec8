// The two protocols with a service manager.
#include <cstdlib>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include "core/error.h"
#include "sys/service.h"

namespace banger::sys {

TEST(Service, WhatItSaysIsHeard) {
  ServiceEar ear;
  EXPECT_TRUE(ear.name().starts_with("@"));
  ::unsetenv("NOTIFY_SOCKET");
  tell_service_manager("READY=1");
  EXPECT_FALSE(ear.heard_ready());
  ::setenv("NOTIFY_SOCKET", ear.name().c_str(), 1);
  tell_service_manager("STATUS=soon");
  EXPECT_FALSE(ear.heard_ready());
  tell_service_manager("READY=1");
  EXPECT_TRUE(ear.heard_ready());
  EXPECT_FALSE(ear.heard_ready());
  ::setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
  EXPECT_NO_THROW(tell_service_manager("READY=1"));
  ::unsetenv("NOTIFY_SOCKET");
}

TEST(Service, SocketsOfAnotherProcessAreNotTaken) {
  ::setenv("LISTEN_FDS", "1", 1);
  ::setenv("LISTEN_PID", "1", 1);
  EXPECT_TRUE(take_service_sockets().empty());
  EXPECT_EQ(std::getenv("LISTEN_FDS"), nullptr);
  EXPECT_TRUE(take_service_sockets().empty());
}

} // namespace banger::sys

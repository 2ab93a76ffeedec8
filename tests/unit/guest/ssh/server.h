// Real ssh servers for the tests of the guest room: OpenSSH's sshd and dropbear, run as ordinary
// processes on a loopback address of this test process's own, with keys that we made.
//
// Both look for things outside the test's directory (/run/sshd as root; dropbear the home of the
// user): they run in a mount namespace of their own in which those places are ours.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "guest/identity/endpoint.h"
#include "guest/identity/keys.h"
#include "sys/process.h"

namespace banger::guest {

// 127.x.y.z, other for every process.
std::string test_address();

class TestServer {
public:
  enum class Kind { sshd, dropbear };
  // Null where this machine has no such program. Throws where it is there and does not come up.
  static std::unique_ptr<TestServer> start(Kind kind, const std::vector<std::string>& config = {});
  ~TestServer();

  // To log in there as this user.
  Endpoint endpoint() const { return endpoint_; }
  const std::string& dir() const { return dir_; }
  std::string log() const;
  void stop();
  // Starts again on the same port.
  void start_again();

private:
  TestServer() = default;
  std::string dir_;
  Endpoint endpoint_;
  sys::Command command_;
  std::unique_ptr<sys::Child> child_;
};

// A test on each of the two servers, which a suite starts once: ON_EACH_SERVER(Suite).
class OnEachServer : public ::testing::TestWithParam<TestServer::Kind> {
protected:
  static void TearDownTestSuite() { servers_.clear(); }
  void SetUp() override {
    if (!servers_.contains(GetParam())) servers_[GetParam()] = TestServer::start(GetParam());
    server_ = servers_[GetParam()].get();
    if (!server_) GTEST_SKIP() << "no such server here";
  }
  TestServer* server_ = nullptr;

private:
  static inline std::map<TestServer::Kind, std::unique_ptr<TestServer>> servers_;
};

inline std::string server_name(const ::testing::TestParamInfo<TestServer::Kind>& kind) {
  return kind.param == TestServer::Kind::sshd ? "sshd" : "dropbear";
}

#define ON_EACH_SERVER(suite)                                                                      \
  INSTANTIATE_TEST_SUITE_P(Servers, suite,                                                         \
                           ::testing::Values(TestServer::Kind::sshd, TestServer::Kind::dropbear),  \
                           server_name)

// Something else that listens: `act` gets each connection in turn, until the peer is destroyed.
class TestPeer {
public:
  explicit TestPeer(std::function<void(int)> act);
  ~TestPeer();
  const Endpoint& endpoint() const { return endpoint_; }

private:
  std::string dir_;
  Endpoint endpoint_;
  Fd listener_;
  std::thread thread_;
};

} // namespace banger::guest

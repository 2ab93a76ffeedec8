// Real ssh servers for the tests of the guest room: OpenSSH's sshd and dropbear, run as ordinary
// processes on a loopback address of this test process's own, with keys that we made.
//
// Both look for things outside the test's directory (/run/sshd as root; dropbear the home of the
// user): they run in a mount namespace of their own in which those places are ours.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "guest/endpoint.h"
#include "guest/keys.h"
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

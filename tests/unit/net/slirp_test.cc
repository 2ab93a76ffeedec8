#include "net/slirp.h"

#include <csignal>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "sys/file.h"
#include "sys/forked.h"
#include "sys/inet.h"
#include "sys/socket.h"
#include "sys/wait.h"

namespace banger::net {
namespace {

TEST(Slirp, isStartedInTheNamespaceItWasHanded) {
  sys::Command c = slirp_command("bngab12-up", Subnet::parse("10.0.2.0/24"), true, "/run/x/net");
  EXPECT_EQ(c.argv, (std::vector<std::string>{"slirp4netns", "--mtu=21880", "--cidr=10.0.2.0/24",
                                              "--disable-host-loopback", "--enable-seccomp",
                                              "--api-socket=slirp.sock", "--ready-fd=5",
                                              "--netns-type=path", "--userns-path=/proc/self/fd/4",
                                              "/proc/self/fd/3", "bngab12-up"}));
  EXPECT_EQ(c.cwd, "/run/x/net");
  EXPECT_TRUE(c.new_session);
  sys::Command root = slirp_command("t", Subnet::parse("10.0.2.0/24"), false, "/");
  EXPECT_EQ(root.argv.size(), c.argv.size() - 1);
}

TEST(Slirp, itsMtuStandsInItsCommandLine) {
  EXPECT_EQ(mtu_of(slirp_command("t", Subnet::parse("10.0.2.0/24"), false, "/").argv), mtu);
  EXPECT_EQ(mtu_of({"slirp4netns", "--mtu=1500", "t"}), 1500); // of a build before
  EXPECT_EQ(mtu_of({"slirp4netns", "t"}), usual_mtu);
  EXPECT_EQ(mtu_of({}), usual_mtu);
}

TEST(Slirp, forwardsAreAskedForAndListed) {
  Forward f{{"tcp", "127.1.2.3", 5353, 53}, "10.0.2.9"};
  EXPECT_EQ(add_forward_request(f),
            R"({"execute":"add_hostfwd","arguments":{"proto":"tcp","host_addr":"127.1.2.3",)"
            R"("host_port":5353,"guest_addr":"10.0.2.9","guest_port":53}})");
  // With and without "return": versions differ.
  std::string entries = R"("entries":[{"id":4,"proto":"tcp","host_addr":"127.1.2.3",)"
                        R"("host_port":5353,"guest_addr":"10.0.2.9","guest_port":53}]})";
  std::vector<NumberedForward> want{{4, f}};
  EXPECT_EQ(parse_forwards("{" + entries), want);
  EXPECT_EQ(parse_forwards(R"({"return":{)" + entries + "}"), want);
  EXPECT_TRUE(parse_forwards("rubbish").empty());
  EXPECT_TRUE(parse_forwards(R"({"entries":[]})").empty());
}

// One that refuses whatever it is asked, as slirp4netns does.
class Refusing : public testing::Test {
protected:
  Refusing() {
    if (!::mkdtemp(root_.data())) throw sys_error(errno, "cannot make a directory");
    Fd listener = sys::listen_unix(socket());
    pid_ = forked();
    if (pid_ != 0) return;
    for (;;) {
      pollfd wait{listener.get(), POLLIN, 0};
      ::poll(&wait, 1, -1);
      auto peer = sys::accept_one(listener.get());
      if (!peer || !sys::wait_readable(peer->get(), Millis(10'000))) continue;
      char request[1024];
      if (::read(peer->get(), request, sizeof request) > 0)
        sys::send_all(peer->get(), R"({"error":{"desc":"bad request: add_hostfwd: no"}})");
    }
  }
  ~Refusing() override {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    sys::remove_tree(root_);
  }
  std::string socket() const { return root_ + "/slirp.sock"; }
  Code code_for(int port) {
    try {
      add_forward(socket(), {{"tcp", "127.0.0.1", port, 80}, "10.0.2.4"});
    } catch (const Error& e) {
      return e.code();
    }
    ADD_FAILURE() << "nothing was thrown";
    return Code::usage;
  }

private:
  std::string root_ = testing::TempDir() + "slirp-XXXXXX";
  int pid_ = 0;
};

TEST_F(Refusing, APortIsTakenOnlyWhereSomebodyHasIt) {
  Fd taken(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof here;
  ASSERT_EQ(::bind(taken.get(), reinterpret_cast<sockaddr*>(&here), size), 0);
  ASSERT_EQ(::listen(taken.get(), 1), 0);
  ASSERT_EQ(::getsockname(taken.get(), reinterpret_cast<sockaddr*>(&here), &size), 0);
  EXPECT_EQ(code_for(ntohs(here.sin_port)), Code::conflict);
  taken.reset();
  EXPECT_EQ(code_for(sys::free_tcp_port("127.0.0.1")), Code::failed);
}

} // namespace
} // namespace banger::net

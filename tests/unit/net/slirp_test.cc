#include "net/slirp.h"

#include <gtest/gtest.h>

namespace banger::net {
namespace {

TEST(Slirp, isStartedInTheNamespaceItWasHanded) {
  sys::Command c = slirp_command("bngab12-up", Subnet::parse("10.0.2.0/24"), true, "/run/x/net");
  EXPECT_EQ(c.argv, (std::vector<std::string>{"slirp4netns", "--mtu=1500", "--cidr=10.0.2.0/24",
                                              "--disable-host-loopback", "--enable-seccomp",
                                              "--api-socket=slirp.sock", "--ready-fd=5",
                                              "--netns-type=path", "--userns-path=/proc/self/fd/4",
                                              "/proc/self/fd/3", "bngab12-up"}));
  EXPECT_EQ(c.cwd, "/run/x/net");
  EXPECT_TRUE(c.new_session);
  sys::Command root = slirp_command("t", Subnet::parse("10.0.2.0/24"), false, "/");
  EXPECT_EQ(root.argv.size(), c.argv.size() - 1);
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

} // namespace
} // namespace banger::net

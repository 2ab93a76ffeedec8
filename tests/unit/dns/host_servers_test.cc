// The host's name servers, as its resolv.conf has them from moment to moment.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "dns/host_servers.h"
#include "sys/file.h"

namespace banger::dns {

namespace {

std::string listed(const std::vector<NameServer>& servers) {
  std::string out;
  for (const NameServer& s : servers)
    out += fmt::format("{}{}:{}", out.empty() ? "" : " ", s.address, s.port);
  return out;
}

} // namespace

TEST(HostServers, TheFirstThreeAddresses) {
  EXPECT_EQ(listed(servers_of("")), "127.0.0.1:53");
  EXPECT_EQ(listed(servers_of("search vm\nnameserver 10.1.2.3\n")), "10.1.2.3:53");
  EXPECT_EQ(listed(servers_of("# nameserver 1.1.1.1\nnameserver\t127.0.0.53 # stub\r\n"
                              "nameserver fe80::1%eth0\nnameservers 9.9.9.9\n nameserver 8.8.8.8\n"
                              "nameserver 10.0.0.300\nnameserver 10.0.0.2\nnameserver 10.0.0.3\n"
                              "nameserver 10.0.0.4")),
            "127.0.0.53:53 fe80::1%eth0:53 10.0.0.2:53");
  EXPECT_EQ(listed(servers_of("nameserver ::1\nnameserver fe80::1%\nnameserver fe80:::1\n"
                              "nameserver 10.0.0.1%eth0\nnameserver example.org\n"
                              "nameserver 2001:db8::53")),
            "::1:53 2001:db8::53:53");
}

TEST(HostServers, AChangeIsSeenAndAFileThatIsGoneIsWaitedFor) {
  std::string path = testing::TempDir() + "/resolv.conf." + std::to_string(::getpid());
  HostServers servers(path);
  EXPECT_EQ(listed(servers.now()), "127.0.0.1:53");
  sys::write_atomic(path, "nameserver 10.0.0.1\n", 0644, Outlives::process);
  EXPECT_EQ(listed(servers.now()), "10.0.0.1:53");
  sys::write_atomic(path, "nameserver 10.0.0.2\n", 0644, Outlives::process);
  EXPECT_EQ(listed(servers.now()), "10.0.0.2:53");
  sys::remove_file(path);
  EXPECT_EQ(listed(servers.now()), "10.0.0.2:53");
}

} // namespace banger::dns

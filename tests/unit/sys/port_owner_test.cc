#include "sys/port_owner.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/handle.h"
#include "sys/inet.h"

namespace banger::sys {

namespace {

// A socket of ours at all addresses of `family`, and its port.
std::pair<Fd, int> socket_at_all(int family, int type) {
  Fd fd(::socket(family, type | SOCK_CLOEXEC, 0));
  sockaddr_storage at{};
  at.ss_family = static_cast<sa_family_t>(family);
  socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  if (!fd || ::bind(fd.get(), reinterpret_cast<sockaddr*>(&at), size) != 0) return {Fd(), 0};
  if (type == SOCK_STREAM) ::listen(fd.get(), 1);
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &size);
  // At the same place in both families' structs.
  return {std::move(fd), ntohs(reinterpret_cast<sockaddr_in&>(at).sin_port)};
}

} // namespace

TEST(PortOwner, IsWhoeverIsInTheWay) {
  for (int type : {SOCK_STREAM, SOCK_DGRAM})
    for (int family : {AF_INET, AF_INET6}) {
      auto [fd, port] = socket_at_all(family, type);
      if (!fd && family == AF_INET6) continue; // a host without IPv6
      ASSERT_TRUE(fd);
      const char* proto = type == SOCK_STREAM ? "tcp" : "udp";
      auto owner = find_port_owner(proto, "127.0.0.1", port);
      ASSERT_TRUE(owner) << proto << family;
      EXPECT_EQ(::getpid(), owner->id.pid);
      EXPECT_EQ("banger-unit", owner->comm);
      int nobodys = type == SOCK_STREAM ? free_tcp_port("127.0.0.1") : free_udp_port("127.0.0.1");
      EXPECT_FALSE(find_port_owner(proto, "127.0.0.1", nobodys));
    }
}

} // namespace banger::sys

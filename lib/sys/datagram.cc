#include "sys/datagram.h"

#include "core/failpoint.h"
#include "sys/socket_impl.h"

namespace banger::sys {

namespace {

// One that has a single address answers from there unasked; to be told with each datagram, and to
// say it with each answer, costs a tenth of both.
void tell_destination(int fd, in_addr_t bound) {
  int on = 1;
  if (bound == htonl(INADDR_ANY) && ::setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) != 0)
    throw sys_error(errno, "cannot set up a socket");
}

} // namespace

Fd bind_udp(const std::string& address, int port, const std::string& link) {
  Fd fd = new_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK);
  if (!link.empty()) bind_to_link(fd.get(), link);
  sockaddr_in a = inet_address(address, port);
  failpoint(Point::bind);
  tell_destination(fd.get(), a.sin_addr.s_addr);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&a), sizeof a) != 0)
    throw sys_error(errno, "cannot receive at {}:{}/udp", address, port);
  return fd;
}

Fd connect_udp(const std::string& address, int port) {
  AnyAddress a = any_address(address, port);
  Fd fd = new_socket(a.family(), SOCK_DGRAM | SOCK_NONBLOCK);
  if (::connect(fd.get(), a.get(), a.size) != 0)
    throw Error(Code::unreachable,
                sys_error(errno, "cannot send to {}:{}/udp", address, port).message());
  return fd;
}

void tell_destination(int fd) {
  sockaddr_in a{};
  socklen_t size = sizeof a;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&a), &size) != 0)
    throw sys_error(errno, "cannot tell where a socket is bound");
  tell_destination(fd, a.sin_addr.s_addr);
}

bool is_udp(int fd) {
  return has_option(fd, SO_DOMAIN, AF_INET) && has_option(fd, SO_PROTOCOL, IPPROTO_UDP);
}

std::optional<size_t> receive_datagram(int fd, char* data, size_t size, UdpPeer* from) {
  Control<in_pktinfo> control;
  iovec part{data, size};
  msghdr m = control.message(part);
  sockaddr_in a{};
  m.msg_name = &a;
  m.msg_namelen = sizeof a;
  ssize_t n = ::recvmsg(fd, &m, MSG_DONTWAIT);
  if (n < 0) return {};
  if (!from) return static_cast<size_t>(n);
  *from = {a.sin_addr.s_addr, a.sin_port, 0};
  for (cmsghdr* c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
    if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO) continue;
    in_pktinfo info;
    std::memcpy(&info, CMSG_DATA(c), sizeof info);
    from->local = info.ipi_spec_dst.s_addr;
  }
  return static_cast<size_t>(n);
}

void send_datagram(int fd, std::string_view data, const UdpPeer* to) {
  Control<in_pktinfo> control;
  iovec part{const_cast<char*>(data.data()), data.size()};
  msghdr m = control.message(part);
  sockaddr_in a{};
  if (to) {
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = to->address;
    a.sin_port = to->port;
    m.msg_name = &a;
    m.msg_namelen = sizeof a;
  }
  if (to && to->local) {
    in_pktinfo info{};
    info.ipi_spec_dst.s_addr = to->local;
    control.put(m, IPPROTO_IP, IP_PKTINFO, info);
  } else {
    m.msg_controllen = 0;
  }
  // An error may be that of the one before, which an ICMP message has told of since: then this one
  // was not sent.
  for (int tries = 0; tries < 2; tries++)
    if (::sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 || errno == EAGAIN) return;
}

} // namespace banger::sys

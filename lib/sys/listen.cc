#include "sys/listen.h"

#include <cerrno>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "core/error.h"
#include "core/failpoint.h"

namespace banger::sys {

Fd listen_tcp(const std::string& address, int port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(static_cast<uint16_t>(port));
  if (::inet_pton(AF_INET, address.c_str(), &a.sin_addr) != 1)
    throw usage("invalid address '{}': not an IPv4 address", address);
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) throw sys_error(errno, "cannot make a socket");
  // A port whose last connections linger is free.
  int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  failpoint(Point::bind);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&a), sizeof a) == 0 &&
      ::listen(fd.get(), 64) == 0)
    return fd;
  int error = errno;
  std::string message = sys_error(error, "cannot listen on {}:{}", address, port).message();
  if (error == EADDRINUSE)
    throw Error(Code::conflict, message)
        .hint(fmt::format("ss -ltnp 'sport = {}' tells whose it is", port));
  if (error == EACCES)
    throw Error(Code::preflight, message)
        .hint(
            "take a port of 1024 or more, or lower the sysctl net.ipv4.ip_unprivileged_port_start");
  throw sys_error(error, "cannot listen on {}:{}", address, port);
}

void send_at_once(int connection) {
  int on = 1;
  ::setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool is_tcp_listener(int fd) {
  auto is = [&](int option, int want) {
    int value = 0;
    socklen_t size = sizeof value;
    return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && value == want;
  };
  return is(SO_DOMAIN, AF_INET) && is(SO_TYPE, SOCK_STREAM) && is(SO_ACCEPTCONN, 1);
}

Endpoint endpoint_of(int socket) {
  sockaddr_in a{};
  socklen_t size = sizeof a;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&a), &size) != 0)
    throw sys_error(errno, "cannot tell where a socket is bound");
  return {{ntohl(a.sin_addr.s_addr)}, ntohs(a.sin_port)};
}

int port_of(int listener) { return endpoint_of(listener).port; }

} // namespace banger::sys

#include "sys/listen.h"

#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "core/error.h"
#include "core/failpoint.h"
#include "sys/port_owner.h"
#include "sys/socket_impl.h"

namespace banger::sys {

Fd listen_tcp(const std::string& address, int port, const std::string& link) {
  sockaddr_in a = inet_address(address, port);
  Fd fd = new_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
  if (!link.empty()) bind_to_link(fd.get(), link);
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
        .hint(fmt::format("{} has that port", tell_port_owner("tcp", address, port)));
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
  return has_option(fd, SO_DOMAIN, AF_INET) && has_option(fd, SO_TYPE, SOCK_STREAM) &&
         has_option(fd, SO_ACCEPTCONN, 1);
}

Endpoint endpoint_of(int socket) {
  sockaddr_in a{};
  socklen_t size = sizeof a;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&a), &size) != 0)
    throw sys_error(errno, "cannot tell where a socket is bound");
  return {{ntohl(a.sin_addr.s_addr)}, ntohs(a.sin_port)};
}

Endpoint peer_of(int connection) {
  sockaddr_in a{};
  socklen_t size = sizeof a;
  if (::getpeername(connection, reinterpret_cast<sockaddr*>(&a), &size) != 0) return {};
  return {{ntohl(a.sin_addr.s_addr)}, ntohs(a.sin_port)};
}

int port_of(int listener) { return endpoint_of(listener).port; }

} // namespace banger::sys

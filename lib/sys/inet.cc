#include "sys/inet.h"

#include "core/clock.h"
#include "sys/socket_impl.h"
#include "sys/wait.h"

namespace banger::sys {

namespace {

bool can_bind(const std::string& address, int port, int type, int* err) {
  Fd fd = new_socket(AF_INET, type);
  sockaddr_in a = inet_address(address, port);
  // As VMMs bind: an address whose last connections linger is free, one that is listened on is not.
  int on = 1;
  if (type == SOCK_STREAM) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  bool ok = ::bind(fd.get(), reinterpret_cast<sockaddr*>(&a), sizeof a) == 0 &&
            (type != SOCK_STREAM || ::listen(fd.get(), 1) == 0);
  if (!ok && err) *err = errno;
  return ok;
}

int free_port(const std::string& address, int type) {
  Fd fd = new_socket(AF_INET, type);
  sockaddr_in a = inet_address(address, 0);
  socklen_t size = sizeof a;
  auto* p = reinterpret_cast<sockaddr*>(&a);
  if (::bind(fd.get(), p, size) != 0 || ::getsockname(fd.get(), p, &size) != 0)
    throw sys_error(errno, "cannot find a free port on '{}'", address);
  return ntohs(a.sin_port);
}

Error no_connection(int err, const std::string& address, int port) {
  return Error(Code::unreachable,
               sys_error(err, "cannot connect to {}:{}", address, port).message());
}

} // namespace

bool can_bind_tcp(const std::string& address, int port, int* err) {
  return can_bind(address, port, SOCK_STREAM, err);
}

bool can_bind_udp(const std::string& address, int port, int* err) {
  return can_bind(address, port, SOCK_DGRAM, err);
}

int free_tcp_port(const std::string& address) { return free_port(address, SOCK_STREAM); }
int free_udp_port(const std::string& address) { return free_port(address, SOCK_DGRAM); }

Fd connect_tcp(const std::string& address, int port, Millis timeout) {
  Fd fd = begin_connect_tcp(address, port);
  pollfd p{fd.get(), POLLOUT, 0};
  if (wait_any({&p, 1}, Deadline(timeout)) == 0)
    throw timed_out("cannot connect to {}:{}: no answer", address, port);
  if (int err = connect_error(fd.get())) throw no_connection(err, address, port);
  return fd;
}

Fd begin_connect_tcp(const std::string& address, int port) {
  Fd fd = new_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
  sockaddr_in a = inet_address(address, port);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&a), sizeof a) != 0 && errno != EINPROGRESS)
    throw no_connection(errno, address, port);
  return fd;
}

int connect_error(int fd) {
  int err = 0;
  socklen_t size = sizeof err;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) == 0 ? err : errno;
}

} // namespace banger::sys

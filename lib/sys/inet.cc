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
  Fd fd = new_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
  sockaddr_in a = inet_address(address, port);
  int err = 0;
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&a), sizeof a) != 0) err = errno;
  if (err == EINPROGRESS) {
    pollfd p{fd.get(), POLLOUT, 0};
    if (wait_any({&p, 1}, Deadline(timeout)) == 0)
      throw timed_out("cannot connect to {}:{}: no answer", address, port);
    socklen_t size = sizeof err;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &err, &size) != 0) err = errno;
  }
  if (err)
    throw Error(Code::unreachable,
                sys_error(err, "cannot connect to {}:{}", address, port).message());
  return fd;
}

} // namespace banger::sys

#include "sys/inet.h"

#include <net/if.h>

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

// The address proper of one of IPv6, and the link behind it.
struct Scoped {
  std::string address, link;
};
Scoped scoped(const std::string& text) {
  size_t at = text.find('%');
  if (at == std::string::npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + 1)};
}

bool is_ipv6(const Scoped& s) {
  in6_addr a;
  return ::inet_pton(AF_INET6, s.address.c_str(), &a) == 1;
}

} // namespace

bool is_address(const std::string& text) {
  in_addr a;
  if (::inet_pton(AF_INET, text.c_str(), &a) == 1) return true;
  Scoped s = scoped(text);
  return is_ipv6(s) && !text.ends_with('%');
}

AnyAddress any_address(const std::string& address, int port) {
  AnyAddress any;
  Scoped s = scoped(address);
  if (!is_ipv6(s)) {
    sockaddr_in a = inet_address(address, port);
    any.size = sizeof a;
    std::memcpy(&any.storage, &a, sizeof a);
    return any;
  }
  sockaddr_in6 a{};
  a.sin6_family = AF_INET6;
  a.sin6_port = htons(static_cast<uint16_t>(port));
  ::inet_pton(AF_INET6, s.address.c_str(), &a.sin6_addr);
  if (!s.link.empty()) {
    a.sin6_scope_id = ::if_nametoindex(s.link.c_str());
    if (a.sin6_scope_id == 0)
      throw usage("invalid address '{}': there is no link '{}'", address, s.link);
  }
  any.size = sizeof a;
  std::memcpy(&any.storage, &a, sizeof a);
  return any;
}

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

int try_connect_tcp(const std::string& address, int port, Millis timeout, int until) {
  AnyAddress a = any_address(address, port);
  Fd fd = new_socket(a.family(), SOCK_STREAM | SOCK_NONBLOCK);
  if (::connect(fd.get(), a.get(), a.size) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd fds[2] = {{fd.get(), POLLOUT, 0}, {until, POLLIN, 0}};
  if (wait_any(fds, Deadline(timeout)) == 0) return ETIMEDOUT;
  return fds[0].revents ? connect_error(fd.get()) : ECANCELED;
}

Fd begin_connect_tcp(const std::string& address, int port) {
  AnyAddress a = any_address(address, port);
  Fd fd = new_socket(a.family(), SOCK_STREAM | SOCK_NONBLOCK);
  if (::connect(fd.get(), a.get(), a.size) != 0 && errno != EINPROGRESS)
    throw no_connection(errno, address, port);
  return fd;
}

int connect_error(int fd) {
  int err = 0;
  socklen_t size = sizeof err;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) == 0 ? err : errno;
}

} // namespace banger::sys

#include "sys/socket.h"

#include <cstring>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/failpoint.h"
#include "sys/file.h"
#include "sys/wait.h"

namespace banger::sys {

namespace {

// sun_path holds 107 characters; a longer path is reached through a descriptor of its directory.
struct UnixAddress {
  sockaddr_un address{};
  Fd dir;

  explicit UnixAddress(const std::string& path) {
    address.sun_family = AF_UNIX;
    std::string shown = path;
    if (shown.size() >= sizeof address.sun_path) {
      size_t slash = path.find_last_of('/');
      dir = open_file(path.substr(0, slash), O_PATH | O_DIRECTORY);
      shown = fmt::format("/proc/self/fd/{}/{}", dir.get(), path.substr(slash + 1));
    }
    if (shown.size() >= sizeof address.sun_path)
      throw failed("cannot use socket '{}': its name is too long", path);
    std::memcpy(address.sun_path, shown.c_str(), shown.size() + 1);
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

sockaddr_in inet_address(const std::string& address, int port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(static_cast<uint16_t>(port));
  if (::inet_pton(AF_INET, address.c_str(), &a.sin_addr) != 1)
    throw usage("invalid address '{}': not an IPv4 address", address);
  return a;
}

Fd new_socket(int domain, int type) {
  Fd fd(::socket(domain, type | SOCK_CLOEXEC, 0));
  if (!fd) throw sys_error(errno, "cannot make a socket");
  return fd;
}

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

// Room for one control message of this type, and the message that it belongs to.
template <typename T>
struct Control {
  alignas(cmsghdr) char data[CMSG_SPACE(sizeof(T))]{};

  msghdr message(iovec& part) {
    msghdr m{};
    m.msg_iov = &part;
    m.msg_iovlen = 1;
    m.msg_control = data;
    m.msg_controllen = sizeof data;
    return m;
  }
  void put(msghdr& m, int level, int type, const T& value) {
    cmsghdr* c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(sizeof value);
    std::memcpy(CMSG_DATA(c), &value, sizeof value);
  }
};

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

Fd listen_unix(const std::string& path) {
  UnixAddress a(path);
  remove_file(path);
  Fd fd = new_socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK);
  failpoint(Point::bind);
  // The mode is right from the first moment: nobody else may connect in between. Linux gives the
  // name the socket's own mode; the umask belongs to all threads and is left alone.
  if (::fchmod(fd.get(), 0600) != 0 || ::bind(fd.get(), a.get(), sizeof a.address) != 0)
    throw sys_error(errno, "cannot listen on '{}'", path);
  if (::listen(fd.get(), 16) != 0) throw sys_error(errno, "cannot listen on '{}'", path);
  return fd;
}

Fd connect_unix(const std::string& path, Millis patience) {
  Fd fd = new_socket(AF_UNIX, SOCK_STREAM);
  std::optional<UnixAddress> a;
  try {
    a.emplace(path);
  } catch (const Error& e) {
    throw Error(Code::unreachable, e.message());
  }
  // unix(7): a connect() waits, as a send does, while the listener's line is full.
  auto limit_sending = [&](Millis limit) {
    auto ms = static_cast<long>(limit.count());
    timeval time{ms / 1000, ms % 1000 * 1000};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  };
  limit_sending(patience);
  if (::connect(fd.get(), a->get(), sizeof a->address) != 0) {
    if (errno == EAGAIN) throw Error(Code::unreachable, fmt::format("'{}' does not answer", path));
    throw Error(Code::unreachable, sys_error(errno, "cannot connect to '{}'", path).message());
  }
  limit_sending(Millis(0)); // no limit
  return fd;
}

std::optional<Fd> accept_one(int listener) {
  Fd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (fd) return fd;
  if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return {};
  throw sys_error(errno, "cannot accept a connection");
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

std::pair<Fd, Fd> socket_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
    throw sys_error(errno, "cannot make a socket pair");
  return {Fd(fds[0]), Fd(fds[1])};
}

void send_all(int fd, std::string_view data) {
  while (!data.empty()) {
    ssize_t n = ::send(fd, data.data(), data.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw Error(Code::unreachable, sys_error(errno, "cannot send").message());
    data.remove_prefix(static_cast<size_t>(n));
  }
}

void send_with_descriptor(int fd, std::string_view data, int with) {
  Control<int> control;
  iovec part{const_cast<char*>(data.data()), data.size()};
  msghdr m = control.message(part);
  control.put(m, SOL_SOCKET, SCM_RIGHTS, with);
  ssize_t n;
  do n = ::sendmsg(fd, &m, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  if (n < 0) throw Error(Code::unreachable, sys_error(errno, "cannot send").message());
  send_all(fd, data.substr(static_cast<size_t>(n))); // it went with the first byte
}

std::string read_some(int fd, size_t max) {
  std::string out(max, '\0');
  for (;;) {
    ssize_t n = ::read(fd, out.data(), max);
    if (n < 0 && errno == EINTR) continue;
    out.resize(n > 0 ? static_cast<size_t>(n) : 0);
    return out;
  }
}

size_t send_some(int fd, std::string_view data) {
  size_t sent = 0;
  while (sent < data.size()) {
    ssize_t n = ::send(fd, data.data() + sent, data.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) throw Error(Code::unreachable, sys_error(errno, "cannot send").message());
    sent += static_cast<size_t>(n);
  }
  return sent;
}

bool discard(int fd) {
  char block[16384];
  for (;;) {
    ssize_t n = ::recv(fd, block, sizeof block, MSG_DONTWAIT);
    if (n > 0 || (n < 0 && errno == EINTR)) continue;
    return n < 0 && errno == EAGAIN;
  }
}

void set_nonblocking(int fd, bool on) {
  int flags = ::fcntl(fd, F_GETFL);
  ::fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

std::optional<std::string> LineReader::buffered() {
  size_t end = buffer_.find('\n');
  if (end == std::string::npos) {
    if (buffer_.size() > max_) throw failed("cannot read a line: it is longer than {} bytes", max_);
    return {};
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  return line;
}

bool LineReader::append(const char* block, ssize_t n) {
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (n <= 0) {
    ended_ = true;
    return false;
  }
  buffer_.append(block, static_cast<size_t>(n));
  return true;
}

bool LineReader::fill() {
  char block[16384];
  return append(block, ::read(fd_, block, sizeof block));
}

bool LineReader::fill(Fd* came) {
  char block[16384];
  Control<int> control;
  iovec part{block, sizeof block};
  msghdr m = control.message(part);
  ssize_t n = ::recvmsg(fd_, &m, MSG_CMSG_CLOEXEC);
  int err = errno;
  for (cmsghdr* c = n < 0 ? nullptr : CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    // Room for one is, aligned, room for two; all that came are ours to close.
    size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
      came->reset(fd);
    }
  }
  errno = err;
  return append(block, n);
}

std::optional<std::string> LineReader::next(std::optional<Millis> timeout) {
  Deadline deadline(timeout);
  for (;;) {
    if (auto line = buffered()) return line;
    if (ended_) return {};
    int ms = deadline.poll_ms();
    if (!wait_readable(fd_, ms < 0 ? std::nullopt : std::optional(Millis(ms)))) return {};
    fill();
  }
}

Fd bind_udp(const std::string& address, int port) {
  Fd fd = new_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK);
  sockaddr_in a = inet_address(address, port);
  int on = 1;
  failpoint(Point::bind);
  if (::setsockopt(fd.get(), IPPROTO_IP, IP_PKTINFO, &on, sizeof on) != 0 ||
      ::bind(fd.get(), reinterpret_cast<sockaddr*>(&a), sizeof a) != 0)
    throw sys_error(errno, "cannot receive at {}:{}/udp", address, port);
  return fd;
}

Fd connect_udp(const std::string& address, int port) {
  Fd fd = new_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK);
  sockaddr_in a = inet_address(address, port);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&a), sizeof a) != 0)
    throw Error(Code::unreachable,
                sys_error(errno, "cannot send to {}:{}/udp", address, port).message());
  return fd;
}

bool is_udp(int fd) {
  auto is = [&](int option, int want) {
    int value = 0;
    socklen_t size = sizeof value;
    return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && value == want;
  };
  return is(SO_DOMAIN, AF_INET) && is(SO_PROTOCOL, IPPROTO_UDP);
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

#include "sys/socket.h"

#include <cstring>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/error.h"
#include "core/failpoint.h"
#include "sys/file.h"
#include "sys/socket_impl.h"

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
  auto cannot = [&](int error) {
    return Error(Code::unreachable, sys_error(error, "cannot connect to '{}'", path).message());
  };
  Fd socket(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat st {};
  if (!socket || ::fstat(socket.get(), &st) != 0) throw cannot(errno);
  if (!S_ISSOCK(st.st_mode)) throw cannot(S_ISLNK(st.st_mode) ? ELOOP : ECONNREFUSED);
  UnixAddress a(fmt::format("/proc/self/fd/{}", socket.get()));
  // unix(7): a connect() waits, as a send does, while the listener's line is full.
  auto limit_sending = [&](Millis limit) {
    auto ms = static_cast<long>(limit.count());
    timeval time{ms / 1000, ms % 1000 * 1000};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  };
  limit_sending(patience);
  if (::connect(fd.get(), a.get(), sizeof a.address) != 0) {
    if (errno == EAGAIN) throw Error(Code::unreachable, fmt::format("'{}' does not answer", path));
    throw cannot(errno);
  }
  limit_sending(Millis(0)); // no limit
  return fd;
}

int maker_of(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

std::optional<Fd> accept_one(int listener) {
  Fd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (fd) return fd;
  if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return {};
  throw sys_error(errno, "cannot accept a connection");
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

} // namespace banger::sys

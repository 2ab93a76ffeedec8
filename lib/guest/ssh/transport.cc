#include "guest/ssh/transport.h"

#include <algorithm>
#include <cerrno>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "core/error.h"
#include "sys/listen.h"
#include "sys/wait.h"

namespace banger::guest {

Connecting begin_connect(const std::string& address, int port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  if (::inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1)
    throw usage("invalid address '{}': not an IPv4 address", address);
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) throw sys_error(errno, "cannot make a socket");
  sys::send_at_once(socket.get());
  int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  int error = ::connect(socket.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0 ? 0 : errno;
  return {std::move(socket), error};
}

int connect_error(int socket) {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

Transport::Transport(Fd socket) : socket_(std::move(socket)) {}

ssize_t Transport::receive(void* buffer, size_t size) {
  if (abandoned_) return -ECONNRESET;
  if (gone_ || budget_ == 0) return -EAGAIN;
  for (;;) {
    ssize_t n = ::recv(socket_.get(), buffer, std::min(size, budget_), MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return -EAGAIN;
    if (n <= 0) {
      // libssh2 would throw away what it has not handed out yet; so it never hears of it.
      error_ = n < 0 ? errno : 0;
      gone_ = true;
      return -EAGAIN;
    }
    auto got = static_cast<size_t>(n);
    if (first_.size() < 256)
      first_.append(static_cast<const char*>(buffer), std::min(got, 256 - first_.size()));
    budget_ -= got;
    received_ += got;
    return n;
  }
}

ssize_t Transport::send(const void* data, size_t size) {
  if (abandoned_) return -ECONNRESET;
  outgoing_.append(static_cast<const char*>(data), size);
  return static_cast<ssize_t>(size);
}

void Transport::flush() {
  while (!gone_ && !abandoned_ && sent_ < outgoing_.size()) {
    ssize_t n = ::send(socket_.get(), outgoing_.data() + sent_, outgoing_.size() - sent_,
                       MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    // A peer that is gone may have left something to read: receive finds out.
    if (n < 0) break;
    sent_ += static_cast<size_t>(n);
  }
  if (sent_ == outgoing_.size()) {
    outgoing_.clear();
    sent_ = 0;
  }
}

void Transport::abandon() { abandoned_ = true; }

std::string Transport::first_line() const {
  std::string line = first_.substr(0, std::min(first_.find('\n'), size_t{255}));
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

short Transport::events(bool reading) const {
  if (gone_) return 0;
  return static_cast<short>((reading ? POLLIN : 0) | (pending() ? POLLOUT : 0));
}

bool Transport::wait(const Deadline& deadline) {
  pollfd p{socket_.get(), events(true), 0};
  return sys::wait_any({&p, 1}, deadline) != 0;
}

} // namespace banger::guest

#include "sys/outbox.h"

#include <cerrno>

#include <sys/socket.h>
#include <unistd.h>

namespace banger::sys {

Outbox::Outbox(Loop& loop, int fd, std::function<void()> on_sent)
    : loop_(loop), fd_(fd), on_sent_(std::move(on_sent)) {}

Outbox::~Outbox() { loop_.forget_writable(fd_); }

bool Outbox::send(std::string_view bytes) {
  waiting_ += bytes;
  return flush();
}

bool Outbox::flush() {
  bool alive = true;
  while (alive && !waiting_.empty()) {
    ssize_t n = ::send(fd_, waiting_.data(), waiting_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    // A FIFO that is open for reading as well is never without a reader: no SIGPIPE comes of it.
    if (n < 0 && errno == ENOTSOCK) n = ::write(fd_, waiting_.data(), waiting_.size());
    if (n > 0) waiting_.erase(0, static_cast<size_t>(n));
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0 && errno != EINTR) alive = false;
  }
  if (!alive) waiting_.clear();
  if (waiting_.empty())
    loop_.forget_writable(fd_);
  else
    loop_.watch_writable(fd_, [this] {
      auto tell = on_sent_; // it may destroy this
      flush();
      if (tell) tell();
    });
  return alive;
}

} // namespace banger::sys

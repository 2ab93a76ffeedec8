#include "sys/lines.h"

#include <unistd.h>

#include "core/clock.h"
#include "sys/socket_impl.h"
#include "sys/wait.h"

namespace banger::sys {

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

std::optional<std::string> LineReader::next(std::optional<Millis> timeout, Fd* came) {
  Deadline deadline(timeout);
  for (;;) {
    if (auto line = buffered()) return line;
    if (ended_) return {};
    int ms = deadline.poll_ms();
    if (!wait_readable(fd_, ms < 0 ? std::nullopt : std::optional(Millis(ms)))) return {};
    if (came)
      fill(came);
    else
      fill();
  }
}

} // namespace banger::sys

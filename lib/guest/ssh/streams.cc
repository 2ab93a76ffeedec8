#include "guest/ssh/streams.h"

#include <cerrno>

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "core/error.h"
#include "sys/wait.h"

namespace banger::guest {

void OutStream::put(std::string_view bytes) {
  if (keep_) {
    tail_ += bytes.substr(bytes.size() > keep_ ? bytes.size() - keep_ : 0);
    if (tail_.size() > keep_) tail_.erase(0, tail_.size() - keep_);
  }
  if (fd_ < 0) return;
  buffer_.erase(0, head_);
  head_ = 0;
  buffer_ += bytes;
}

bool OutStream::write_some() {
  bool wrote = false;
  while (!empty()) {
    pollfd p{fd_, POLLOUT, 0};
    if (sys::wait_any({&p, 1}, 0) == 0) break;
    // A pipe that is announced as writable takes PIPE_BUF bytes without blocking.
    size_t n = std::min<size_t>(PIPE_BUF, buffer_.size() - head_);
    ssize_t written = ::write(fd_, buffer_.data() + head_, n);
    if (written < 0) {
      if (errno == EINTR || errno == EAGAIN) break;
      throw sys_error(errno, "cannot write {}", what_);
    }
    head_ += static_cast<size_t>(written);
    wrote = true;
  }
  return wrote;
}

void InStream::read_some() {
  buffer_.resize(capacity);
  head_ = 0;
  ssize_t n = ::read(fd_, buffer_.data(), buffer_.size());
  int error = errno;
  buffer_.resize(n > 0 ? static_cast<size_t>(n) : 0);
  if (n > 0 && filter_) filter_(buffer_);
  if (n > 0) return;
  if (n < 0 && (error == EINTR || error == EAGAIN)) return;
  // A standard input that was closed before the start is an empty one.
  if (n < 0 && error != EBADF) throw sys_error(error, "cannot read standard input");
  ended_ = true;
}

void InStream::read_ready() {
  if (sys::is_readable(poll_fd())) read_some();
}

void InStream::consume(size_t n) { head_ += n; }

void InStream::stop() {
  ended_ = true;
  buffer_.clear();
  head_ = 0;
}

void Escape::filter(std::string& typed) {
  std::string out;
  for (char c : typed) {
    if (tilde_) {
      tilde_ = false;
      if (c == '.') leaves_ = true;
      if (c != '~') out += '~';
    } else if (line_begins_ && c == '~') {
      tilde_ = true;
      line_begins_ = false;
      continue;
    }
    out += c;
    line_begins_ = c == '\r' || c == '\n';
  }
  typed = out;
}

} // namespace banger::guest

#include "guest/tree/stream_sink.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "core/error.h"
#include "guest/ssh/session.h"
#include "sys/wait.h"

namespace banger::guest {

void write_waiting(int to, std::string_view bytes, const std::string& shown, int signals) {
  while (!bytes.empty()) {
    std::array<pollfd, 2> polled{{{to, POLLOUT, 0}, {signals, POLLIN, 0}}};
    sys::wait_any(polled);
    if (polled[1].revents) throw Interrupted();
    if (!polled[0].revents) continue;
    // A pipe that is announced as writable takes PIPE_BUF bytes without blocking.
    ssize_t n = ::write(to, bytes.data(), std::min<size_t>(PIPE_BUF, bytes.size()));
    if (n > 0) bytes.remove_prefix(static_cast<size_t>(n));
    if (n < 0 && errno != EINTR && errno != EAGAIN)
      throw sys_error(errno, "cannot write {}", shown);
  }
}

StreamSink::StreamSink(Fd to, std::string shown, int signals)
    : to_(std::move(to)), shown_(std::move(shown)), signals_(signals) {}

void StreamSink::zeros_until(int64_t end) {
  static constexpr std::array<char, size_t{64} << 10> zeros{};
  while (written_ < end) {
    auto n = std::min<int64_t>(end - written_, static_cast<int64_t>(zeros.size()));
    write_waiting(to_.get(), {zeros.data(), static_cast<size_t>(n)}, shown_, signals_);
    written_ += n;
  }
}

void StreamSink::entry(const TreeEntry& entry) {
  if (!entry.is_file()) throw failed("cannot write {}: only a file can go there", shown_);
  extents_ = entry.data;
  size_ = entry.size;
  extent_ = 0;
  within_ = written_ = 0;
}

void StreamSink::data(std::string_view bytes) {
  while (!bytes.empty()) {
    Extent e = extents_.at(extent_);
    zeros_until(e.offset + within_);
    auto n = std::min<int64_t>(e.length - within_, static_cast<int64_t>(bytes.size()));
    write_waiting(to_.get(), bytes.substr(0, static_cast<size_t>(n)), shown_, signals_);
    bytes.remove_prefix(static_cast<size_t>(n));
    written_ += n;
    within_ += n;
    if (within_ == e.length) extent_++, within_ = 0;
  }
}

void StreamSink::finish() {
  zeros_until(size_);
  to_.reset();
}

} // namespace banger::guest

// Bounded lines over a socket, a pipe or a terminal.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <sys/types.h>

#include "core/handle.h"
#include "core/units.h"

namespace banger::sys {

// Lines from a descriptor. A peer that sends more than `max_line` bytes without a newline is cut
// off with an Error.
class LineReader {
public:
  explicit LineReader(int fd, size_t max_line = size_t{1} << 20) : fd_(fd), max_(max_line) {}
  // The next line without its newline; none at the end (a last line without newline is dropped: it
  // is half of one), or when `timeout` passed (then ended() is false).
  // With `came` as fill() has it: a descriptor that comes along with what is read replaces it.
  std::optional<std::string> next(std::optional<Millis> timeout = {}, Fd* came = nullptr);
  // A whole line that is here already, without reading more.
  std::optional<std::string> buffered();
  // Reads once what is there; false at the end. For poll loops: fill(), then buffered() until
  // empty.
  bool fill();
  // The same on a Unix socket; a descriptor that comes along replaces `*came`, which may hold one
  // only: all but the last are closed. Lines sent before it may be read together with its own.
  bool fill(Fd* came);
  bool ended() const { return ended_; }

private:
  bool append(const char* block, ssize_t n);

  int fd_;
  size_t max_;
  std::string buffer_;
  bool ended_ = false;
};

} // namespace banger::sys

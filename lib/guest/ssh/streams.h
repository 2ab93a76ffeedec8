// This side's ends of a command that runs in a guest: descriptors that are others' as well (a
// terminal, a shared pipe), so their flags stay as they are and nothing here blocks: read only what
// poll announced, write only as much as a pipe takes.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace banger::guest {

// Where a command's output goes, with at most 64 KiB on the way. Without a descriptor all is taken;
// the last `keep` bytes stay in tail(), if there is a descriptor or not.
class OutStream {
public:
  OutStream(int fd, std::string_view what, size_t keep) : fd_(fd), what_(what), keep_(keep) {}

  size_t room() const { return capacity - (buffer_.size() - head_); }
  bool empty() const { return head_ == buffer_.size(); }
  void put(std::string_view bytes);
  // Writes what can be written now; true if that was anything. Throws Error when the other end is
  // gone or the disk is full.
  bool write_some();
  // For poll: the descriptor while there is something to write, else -1.
  int poll_fd() const { return empty() ? -1 : fd_; }
  const std::string& tail() const { return tail_; }

private:
  static constexpr size_t capacity = size_t{64} << 10;
  int fd_;
  std::string_view what_;
  size_t keep_, head_ = 0;
  std::string buffer_, tail_;
};

// Where a command's input comes from, with at most 32 KiB on the way.
class InStream {
public:
  // `filter` may change what was read, each time.
  explicit InStream(int fd, std::function<void(std::string& bytes)> filter = {})
      : fd_(fd), ended_(fd < 0), filter_(std::move(filter)) {}

  // Comes before what is read; nothing was read yet.
  void begin_with(std::string bytes) { buffer_ = std::move(bytes); }
  // After poll said so: reads once.
  void read_some();
  // Reads once if something is there now, its end included.
  void read_ready();
  std::string_view waiting() const { return std::string_view(buffer_).substr(head_); }
  void consume(size_t n);
  // Nothing more will come, and nothing waits.
  bool done() const { return ended_ && waiting().empty(); }
  // For poll: the descriptor while there is room, else -1.
  int poll_fd() const { return ended_ || !waiting().empty() ? -1 : fd_; }
  // Its reader takes no more.
  void stop();

private:
  static constexpr size_t capacity = size_t{32} << 10;
  int fd_;
  bool ended_;
  size_t head_ = 0;
  std::string buffer_;
  std::function<void(std::string&)> filter_;
};

// The input of a person on a terminal, with a way out of a guest that answers nothing: "~." at the
// beginning of a line leaves, "~~" there is one "~".
class Escape {
public:
  // Takes the escape out of what was typed.
  void filter(std::string& typed);
  bool leaves() const { return leaves_; }

private:
  bool line_begins_ = true, tilde_ = false, leaves_ = false;
};

} // namespace banger::guest

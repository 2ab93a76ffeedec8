// Bytes on their way to a socket, or to a nonblocking FIFO that is open for reading and writing:
// those that the other end does not take now wait here, and the loop sends them when there is room.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "sys/loop.h"

namespace banger::sys {

class Outbox {
public:
  // `fd` stays the caller's, and open for as long as this lives. `on_sent` is called from the loop
  // whenever the other end took some of the waiting bytes.
  Outbox(Loop& loop, int fd, std::function<void()> on_sent = {});
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // Takes all of it and never waits. False when the other end is gone; waiting bytes are lost then.
  bool send(std::string_view bytes);
  size_t waiting() const { return waiting_.size(); }

private:
  bool flush();

  Loop& loop_;
  int fd_;
  std::function<void()> on_sent_;
  std::string waiting_;
};

} // namespace banger::sys

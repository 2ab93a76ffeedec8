// Waiting where there is no loop: for descriptors, and for time. The one place that polls beside
// sys/loop.h; a signal that is not awaited ends none of these.
#pragma once

#include <chrono>
#include <optional>
#include <span>

#include <poll.h>

#include "core/clock.h"
#include "core/handle.h"
#include "core/units.h"

namespace banger::sys {

struct Pipe {
  Fd read, write;
};
// Both ends close-on-exec, and nonblocking where that is asked for.
Pipe make_pipe(bool nonblocking = false);

// Waits until something is to be told of one of them, and says of how many; it stands in their
// revents. 0: `until` has passed. Nothing is told of a descriptor of -1.
size_t wait_any(std::span<pollfd> polled, const Deadline& until);
// The same with milliseconds as poll(2) has them: -1 waits for as long as it takes.
size_t wait_any(std::span<pollfd> polled, int ms = -1);
// Waits until fd is readable; false when `timeout` passed.
bool wait_readable(int fd, std::optional<Millis> timeout);
// Whether it is readable now.
inline bool is_readable(int fd) { return wait_readable(fd, Millis(0)); }
// Waits until written bytes have no reader any more (fd as for Loop::watch_hangup; -1: none); false
// when `timeout` passed.
bool wait_hangup(int fd, std::optional<Millis> timeout);

// Where there is nothing that could be waited for: to measure a clock, to look twice.
void sleep_for(std::chrono::nanoseconds time);

} // namespace banger::sys

#include "sys/wait.h"

#include <cerrno>
#include <ctime>

#include <fcntl.h>
#include <unistd.h>

#include "core/error.h"

namespace banger::sys {

Pipe make_pipe(bool nonblocking) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | (nonblocking ? O_NONBLOCK : 0)) != 0)
    throw sys_error(errno, "cannot make a pipe");
  return {Fd(ends[0]), Fd(ends[1])};
}

size_t wait_any(std::span<pollfd> polled, const Deadline& until) {
  for (;;) {
    int ms = until.poll_ms();
    int n = ::poll(polled.data(), polled.size(), ms);
    if (n > 0) return static_cast<size_t>(n);
    if (n == 0 && (ms == 0 || until.has_passed())) return 0;
    if (n < 0 && errno != EINTR) throw sys_error(errno, "cannot poll");
  }
}

size_t wait_any(std::span<pollfd> polled, int ms) {
  return wait_any(polled, Deadline(ms < 0 ? std::nullopt : std::optional(Millis(ms))));
}

namespace {

bool wait_for(int fd, short events, std::optional<Millis> timeout) {
  pollfd polled{fd, events, 0};
  return wait_any({&polled, 1}, Deadline(timeout)) > 0;
}

} // namespace

bool wait_readable(int fd, std::optional<Millis> timeout) { return wait_for(fd, POLLIN, timeout); }

bool wait_hangup(int fd, std::optional<Millis> timeout) { return wait_for(fd, 0, timeout); }

void sleep_for(std::chrono::nanoseconds time) {
  timespec left{time.count() / 1'000'000'000, time.count() % 1'000'000'000};
  while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

} // namespace banger::sys

// A single-threaded poll loop: descriptors, deadlines and signals, for the monitor and the like.
#pragma once

#include <csignal>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>

#include "core/clock.h"
#include "core/error.h"
#include "core/handle.h"

namespace banger::sys {

// A callback may forget, watch again or cancel anything, itself included. A descriptor that it
// forgets is not called any more; one that it watches is called for a later look's finds, never for
// this one's under the same number. A callback that throws leaves run(), which may be called again.
class Loop {
public:
  using Callback = std::function<void()>;
  using Timer = uint64_t;

  // Called whenever fd is readable, or its other end is gone. One callback a descriptor; the
  // descriptor stays the caller's and must be forgotten before it is closed.
  void watch(int fd, Callback on_readable);
  void forget(int fd);
  // The same for a descriptor that can be written to; forgotten apart from the other.
  void watch_writable(int fd, Callback on_writable);
  void forget_writable(int fd);
  // Called once, when nobody is left to read from the other end of fd, a pipe or socket. Input that
  // has ended does not count: a socket half shut down is readable for ever.
  void watch_hangup(int fd, Callback on_hangup);
  // Timers run in the order of their times. One that is due at once still waits until every
  // descriptor has been looked at: a timer that sets itself again cannot keep them waiting.
  Timer at(SteadyTime when, Callback callback);
  Timer after(std::chrono::milliseconds delay, Callback callback);
  void cancel(Timer timer);
  // Runs callbacks until stop(). Exceptions of callbacks leave run().
  void run();
  void stop() { stopped_ = true; }

private:
  // A descriptor's number may be given out again at any moment; a watch is never the same twice.
  struct Watch {
    Callback callback;
    uint64_t generation = 0;
  };
  using Watches = std::map<int, Watch>;
  void set(Watches& those, int fd, Callback callback);

  Watches watched_, writable_, hangups_;
  uint64_t next_generation_ = 1;
  std::map<std::pair<SteadyTime, Timer>, Callback> timers_;
  Timer next_timer_ = 1;
  bool stopped_ = false;
};

// Blocks these signals in this process and gives a descriptor that becomes readable with them.
Fd block_signals(std::initializer_list<int> signals);
// The signal that came, from such a descriptor.
int read_signal(int fd);

// A descriptor that becomes readable when the file changes (inotify), and how to make it quiet.
Fd watch_file(const std::string& path);
// Another file for such a descriptor: the host's inotify instances are few.
void watch_too(int watch, const std::string& path);
// The same for files that come, go or change in a directory.
Fd watch_dir(const std::string& path);
// Throws as these do where no inotify instance is left to the user. It watches nothing: closing one
// that watched waits for the kernel's readers of all watches, 8 to 15 ms.
void require_watch();
// The error for a failure of inotify: the errno of its limits would speak of files and disks.
Error watch_fault(int err, const std::string& what);
void drain_events(int fd);

} // namespace banger::sys

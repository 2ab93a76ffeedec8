#include "sys/loop.h"

#include <algorithm>
#include <vector>

#include <poll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "core/error.h"

namespace banger::sys {

void Loop::set(Watches& those, int fd, Callback callback) {
  those[fd] = {std::move(callback), next_generation_++};
}

void Loop::watch(int fd, Callback on_readable) { set(watched_, fd, std::move(on_readable)); }

void Loop::forget(int fd) { watched_.erase(fd); }

void Loop::watch_writable(int fd, Callback on_writable) {
  set(writable_, fd, std::move(on_writable));
}

void Loop::forget_writable(int fd) { writable_.erase(fd); }

void Loop::watch_hangup(int fd, Callback on_hangup) { set(hangups_, fd, std::move(on_hangup)); }

Loop::Timer Loop::at(SteadyTime when, Callback callback) {
  Timer id = next_timer_++;
  timers_.emplace(std::pair{when, id}, std::move(callback));
  return id;
}

Loop::Timer Loop::after(std::chrono::milliseconds delay, Callback callback) {
  return at(steady_now() + delay, std::move(callback));
}

void Loop::cancel(Timer timer) {
  std::erase_if(timers_, [&](const auto& t) { return t.first.second == timer; });
}

void Loop::run() {
  struct Polled {
    Watches* those;
    uint64_t generation;
  };
  stopped_ = false;
  while (!stopped_) {
    std::vector<pollfd> fds;
    std::vector<Polled> polled; // beside fds
    auto add = [&](Watches& those, short events) {
      for (const auto& [fd, watch] : those) {
        fds.push_back({fd, events, 0});
        polled.push_back({&those, watch.generation});
      }
    };
    add(watched_, POLLIN);
    add(writable_, POLLOUT);
    add(hangups_, 0); // told unasked
    int wait_ms = -1;
    if (!timers_.empty()) {
      auto left = timers_.begin()->first.first - steady_now();
      auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
      wait_ms = static_cast<int>(std::clamp<int64_t>(ms, 0, 60'000));
    }
    if (::poll(fds.data(), fds.size(), wait_ms) < 0) {
      if (errno != EINTR) throw sys_error(errno, "cannot poll");
      continue; // nothing was said of any descriptor
    }
    for (size_t i = 0; i < fds.size(); i++) {
      if (fds[i].revents == 0) continue;
      Watches& those = *polled[i].those;
      auto it = those.find(fds[i].fd);
      // An earlier callback may have forgotten it, and watch another under its number by now.
      if (it == those.end() || it->second.generation != polled[i].generation) continue;
      Callback callback = it->second.callback; // it may forget itself while it runs
      if (&those == &hangups_) those.erase(it);
      callback();
      if (stopped_) return;
    }
    // One that a callback sets is for the next round, whenever it is due: descriptors come between.
    SteadyTime now = steady_now();
    Timer fresh = next_timer_;
    for (auto it = timers_.begin(); it != timers_.end() && it->first.first <= now && !stopped_;) {
      if (it->first.second >= fresh) {
        ++it;
        continue;
      }
      auto node = timers_.extract(it);
      node.mapped()();
      it = timers_.begin(); // the callback may have cancelled any
    }
  }
}

Fd block_signals(std::initializer_list<int> signals) {
  sigset_t set;
  ::sigemptyset(&set);
  for (int s : signals) ::sigaddset(&set, s);
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) throw sys_error(errno, "cannot block signals");
  Fd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) throw sys_error(errno, "cannot follow signals");
  return fd;
}

int read_signal(int fd) {
  signalfd_siginfo info{};
  return ::read(fd, &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
}

namespace {

Fd new_watch() { return Fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)); }

Fd watch(const std::string& path, uint32_t mask) {
  Fd fd = new_watch();
  if (!fd || ::inotify_add_watch(fd.get(), path.c_str(), mask) < 0)
    throw watch_fault(errno, fmt::format("cannot follow '{}'", path));
  return fd;
}

} // namespace

Error watch_fault(int err, const std::string& what) {
  if (err == EMFILE)
    return preflight(
               "{}: no inotify instance is left to this user, or no open file to this process",
               what)
        .hint("raise the sysctl fs.inotify.max_user_instances, or ulimit -n");
  if (err == ENOSPC)
    return preflight("{}: no inotify watch is left to this user", what)
        .hint("raise the sysctl fs.inotify.max_user_watches");
  return Error::from_errno(err, what);
}

void require_watch() {
  if (!new_watch()) throw watch_fault(errno, "cannot follow files");
}

Fd watch_file(const std::string& path) { return watch(path, IN_MODIFY); }

void watch_too(int watch, const std::string& path) {
  if (::inotify_add_watch(watch, path.c_str(), IN_MODIFY) < 0)
    throw sys_error(errno, "cannot watch '{}'", path);
}

Fd watch_dir(const std::string& path) {
  return watch(path, IN_CREATE | IN_MODIFY | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE);
}

void drain_events(int fd) {
  char buffer[4096];
  while (::read(fd, buffer, sizeof buffer) > 0) {
  }
}

} // namespace banger::sys

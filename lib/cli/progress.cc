#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

#include <unistd.h>

#include "cli/app.h"
#include "cli/layout.h"
#include "cli/terminal.h"
#include "core/clock.h"
#include "core/text.h"
#include "core/units.h"

namespace banger::cli {

namespace {

std::atomic<bool> on_screen = false;

} // namespace

bool progress_is_shown() { return on_screen; }

// A thread redraws, so that an operation that blocks still shows its time go by. It starts with the
// first stage and only on a terminal.
struct Progress::State {
  std::mutex mutex;
  std::condition_variable changed;
  std::string subject, what;
  SteadyTime start;
  bool active = false, shown = false, quit = false;
  std::thread thread;

  void write(std::string_view line) {
    [[maybe_unused]] auto n = ::write(STDERR_FILENO, line.data(), line.size());
  }

  void draw() {
    Seconds elapsed = steady_now() - start;
    if (elapsed < Seconds(1)) return;
    size_t width = terminal_width(STDERR_FILENO).value_or(80);
    std::string time = format_duration(elapsed);
    if (width < time.size() + 24) return; // too narrow to tell anything
    size_t room = width - time.size() - 4;
    // A long name gives way to what is done.
    std::string name = subject;
    if (size_t least = 10, used = width_of(what) + 2; !name.empty())
      name = cut(name, std::max(least, room - std::min(room, used))) + ": ";
    write(fmt::format("{}{}  {}", erase_line, cut_end(name + what, room), time));
    shown = on_screen = true;
  }

  void erase() {
    if (shown) write(erase_line);
    shown = on_screen = false;
  }

  void loop() {
    std::unique_lock lock(mutex);
    while (!quit) {
      if (active) {
        draw();
        changed.wait_for(lock, std::chrono::milliseconds(100));
      } else {
        changed.wait(lock);
      }
    }
  }
};

Progress::Progress(bool enabled) {
  if (enabled) state_ = std::make_unique<State>();
}

Progress::~Progress() {
  if (!state_) return;
  done();
  if (!state_->thread.joinable()) return;
  {
    std::lock_guard lock(state_->mutex);
    state_->quit = true;
  }
  state_->changed.notify_one();
  state_->thread.join();
}

void Progress::stage(std::string_view subject, std::string_view what) {
  if (!state_) return;
  State& s = *state_;
  bool sleeps;
  {
    std::lock_guard lock(s.mutex);
    s.subject = on_one_line(escape_for_terminal(subject));
    s.what = on_one_line(escape_for_terminal(what));
    sleeps = !s.active;
    if (sleeps) s.start = steady_now();
    s.active = true;
  }
  if (s.thread.joinable()) {
    if (sleeps) s.changed.notify_one(); // else it looks soon: this may be called for each block
    return;
  }
  // Signals are for the thread that does the work.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  s.thread = std::thread([&s] { s.loop(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Progress::rest() {
  if (!state_) return;
  std::lock_guard lock(state_->mutex);
  state_->active = false;
}

void Progress::done() {
  if (!state_) return;
  std::lock_guard lock(state_->mutex);
  state_->active = false;
  state_->erase();
}

} // namespace banger::cli

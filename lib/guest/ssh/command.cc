// Session::run: a command's streams and signals, between this program and a guest.
#include <algorithm>
#include <array>
#include <csignal>

#include <poll.h>
#include <sys/ioctl.h>

#include "core/error.h"
#include "core/units.h"
#include "guest/ssh/channel.h"
#include "guest/ssh/group_watch.h"
#include "guest/ssh/session.h"
#include "guest/ssh/streams.h"
#include "sys/signals.h"
#include "sys/wait.h"

namespace banger::guest {

namespace {

using namespace std::chrono_literals;

// Commands that end sooner are not watched over: the watch is a process in the guest. A slow guest
// is given as long as its login took, so that no short command has to wait for its watch.
constexpr Millis unwatched = 200ms, unwatched_at_most = 2s;
// How long a guest that is asked to signal a command has to say anything at all.
constexpr Millis answers = 1s, answers_at_most = 3s;
constexpr Millis grace = 5s; // from a signal to KILL, and from there to giving up
// How long a watch that is no longer needed has to go, in a guest that has much else to do.
constexpr Millis farewell = 1s;
constexpr Millis check = 200ms;       // how often it is asked whether the command has ended of it
constexpr Millis same_signal = 500ms; // a terminal's and a parent's copy of one ^C

std::string_view name_of(int signal) {
  return signal == SIGINT ? "INT" : signal == SIGHUP ? "HUP" : "TERM";
}

// Dropbear takes no longer command (9000 bytes), libssh2 sends none of more than about 34,000, and
// Linux takes no argument of 128 KiB.
constexpr size_t longest_plain = 8000, longest_command = 131'000;

// The command that the server is asked to run: `command`, or one that reads it from its input.
std::optional<std::string> asked_for(const std::optional<std::string>& command) {
  if (!command || command->size() <= longest_plain) return command;
  if (command->size() > longest_command)
    throw failed("cannot run a command of {} bytes: at most {} go", command->size(),
                 longest_command)
        .hint("give it as a script: banger ssh NAME sh -s <FILE");
  return fmt::format("exec /bin/sh -c 'c=$(dd bs=1 count={} 2>/dev/null; echo .); "
                     "exec \"${{SHELL:-/bin/sh}}\" -c \"${{c%.}}\"'",
                     command->size());
}

class RunningCommand {
public:
  RunningCommand(Session& session, const std::optional<std::string>& command,
                 const Streams& streams)
      : session_(session), main_(Channel::command(session, asked_for(command), streams.terminal)),
        signals_(streams.signals), terminal_(streams.terminal ? streams.in : -1),
        in_(streams.in, typed_filter()), out_(streams.out, "standard output", streams.keep),
        err_(streams.err, "standard error", streams.keep) {
    if (command && command->size() > longest_plain) in_.begin_with(*command);
  }

  Outcome run(const Deadline& deadline) {
    in_.read_ready();
    for (;;) {
      session_.begin_round();
      bool moved = move();
      session_.flush();
      // Room made here is for bytes that libssh2 may hold already: poll does not tell of them.
      moved |= out_.write_some();
      moved |= err_.write_some();
      moved |= session_.heard();
      if (over()) break;
      if (session_.gone() && !moved && !closed_ && out_.empty() && err_.empty())
        throw session_.lost();
      if (deadline.has_passed())
        throw timed_out("the command at {} did not end in time", session_.where());
      wait(moved, deadline);
    }
    Outcome outcome{closed_            ? main_.status()
                    : escape_.leaves() ? status_own_failure
                                       : 128 + signal_,
                    out_.tail() + err_.tail()};
    session_.leave();
    return outcome;
  }

private:
  bool move() {
    if (!main_.advance()) {
      // The end of an empty input goes out with the command: one thing less for the guest to wake
      // for.
      if (main_.is_asked() && in_.done() && !eof_sent_) eof_sent_ = main_.send_eof();
      return false;
    }
    // The end of a terminal ends what runs on it.
    if (watch_at_ == SteadyTime::max() && signals_ >= 0 && !watch_ && terminal_ < 0)
      watch_at_ = steady_now() + std::clamp(session_.login_time(), unwatched, unwatched_at_most);
    bool moved = read_into(out_, Channel::Output::out);
    moved |= read_into(err_, Channel::Output::err);
    moved |= write_from();
    // Asked only once nothing more is to be had: data before the end must not be lost.
    if (!closed_ && !moved && main_.closed()) {
      closed_ = true;
      in_.stop();
      if (watch_) {
        watch_->end(signal_ != 0);
        kill_at_ = steady_now() + (signal_ != 0 ? grace : farewell);
      }
    }
    if (watch_) watch_->advance();
    return moved;
  }

  bool read_into(OutStream& stream, Channel::Output which) {
    if (stream.room() == 0) return false;
    std::array<char, 32768> block;
    size_t n = main_.read(which, std::span(block).first(std::min(block.size(), stream.room())));
    if (n > 0) stream.put(std::string_view(block.data(), n));
    return n > 0;
  }

  bool write_from() {
    if (eof_sent_) return false;
    if (in_.done()) return eof_sent_ = main_.send_eof();
    size_t n = main_.write(in_.waiting());
    in_.consume(n);
    return n > 0;
  }

  bool over() {
    // Without a watch nothing is left to do but to close the connection.
    if (gave_up_ || (signal_ != 0 && !closed_ && watch_ && watch_->ended())) return true;
    if (!closed_ || !out_.empty() || !err_.empty()) return false;
    return !watch_ || watch_->ended() || session_.gone();
  }

  void wait(bool moved, const Deadline& deadline) {
    bool reading = closed_ || out_.room() > 0 || err_.room() > 0 || !in_.waiting().empty();
    auto [guest, machine] = session_.poll_for(reading);
    std::array<pollfd, 6> polled{{guest,
                                  {closed_ ? -1 : in_.poll_fd(), POLLIN, 0},
                                  {out_.poll_fd(), POLLOUT, 0},
                                  {err_.poll_fd(), POLLOUT, 0},
                                  {signals_, POLLIN, 0},
                                  machine}};
    sys::wait_any(polled, moved ? 0 : wait_ms(deadline));
    if (polled[1].revents) in_.read_some();
    if (polled[4].revents) take_signal();
    auto now = steady_now();
    if (now >= watch_at_) begin_watch();
    if (now >= check_at_ && !closed_) {
      if (watch_) watch_->check();
      check_at_ = now + check;
    }
    if (now >= answer_at_) {
      answer_at_ = SteadyTime::max();
      // A guest that does not even answer will not end the command now; its ssh server does when it
      // sees that this connection has gone.
      if (session_.heard_bytes() == heard_before_) gave_up_ = true;
    }
    if (now >= kill_at_) press_on(now);
  }

  int wait_ms(const Deadline& deadline) const {
    int ms = deadline.poll_ms();
    auto until =
        std::min({watch_at_, kill_at_, answer_at_, closed_ ? SteadyTime::max() : check_at_});
    if (until == SteadyTime::max()) return ms;
    auto left = std::chrono::ceil<Millis>(until - steady_now()).count();
    int mine = static_cast<int>(std::max<int64_t>(left, 0));
    return ms < 0 ? mine : std::min(ms, mine);
  }

  std::function<void(std::string&)> typed_filter() {
    if (terminal_ < 0) return {};
    return [this](std::string& typed) {
      escape_.filter(typed);
      if (escape_.leaves()) gave_up_ = true;
    };
  }

  void resize() {
    winsize size{};
    if (::ioctl(terminal_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0)
      main_.resize({size.ws_col, size.ws_row});
  }

  void begin_watch() {
    watch_at_ = SteadyTime::max();
    if (terminal_ < 0 && !watch_ && !closed_) watch_.emplace(session_);
  }

  void take_signal() {
    int signal = sys::read_signal(signals_);
    auto now = steady_now();
    if (signal == SIGWINCH) return resize();
    if (signal == 0 || (signal == signal_ && now - signalled_ < same_signal)) return;
    signalled_ = now;
    bool first = signal_ == 0;
    signal_ = signal;
    // The command asked for may run already, whether or not the guest has said so; the watch takes
    // its turn after it.
    if (!main_.is_asked() || !first || terminal_ >= 0) return press_on(now);
    begin_watch();
    if (watch_) watch_->signal(name_of(signal));
    heard_before_ = session_.heard_bytes();
    session_.ask_for_answer();
    answer_at_ = now + std::clamp(session_.login_time(), answers, answers_at_most);
    kill_at_ = now + grace;
    check_at_ = now + check;
  }

  // The signal was not enough.
  void press_on(SteadyTime now) {
    if (killed_ || !watch_ || watch_->ended() || (closed_ && signal_ == 0)) {
      gave_up_ = true;
      return;
    }
    killed_ = true;
    if (!closed_) watch_->signal("KILL");
    kill_at_ = now + grace;
  }

  Session& session_;
  Channel main_;
  std::optional<GroupWatch> watch_;
  int signals_;
  int terminal_; // here, -1 without one
  Escape escape_;
  InStream in_;
  OutStream out_, err_;
  bool eof_sent_ = false, closed_ = false;
  SteadyTime watch_at_ = SteadyTime::max(), kill_at_ = SteadyTime::max(),
             check_at_ = SteadyTime::max(), answer_at_ = SteadyTime::max(), signalled_{};
  uint64_t heard_before_ = 0; // when an answer was asked for
  int signal_ = 0;            // the last one that came
  bool killed_ = false, gave_up_ = false;
};

} // namespace

void check_terminal_command(const std::string& command) {
  if (command.size() > longest_plain)
    throw failed("cannot run a command of {} bytes on a terminal: at most {} go", command.size(),
                 longest_plain)
        .hint("copy it there as a script (banger ssh cp), or leave -t out");
}

Outcome Session::run(const std::optional<std::string>& command, const Streams& streams,
                     const Deadline& deadline) {
  if (command && streams.terminal) check_terminal_command(*command);
  return RunningCommand(*this, command, streams).run(deadline);
}

} // namespace banger::guest

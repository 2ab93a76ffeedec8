// A verb's end of the connection to a monitor: asks, gets each answer to its question, and follows
// the reports to all. On a loop, or for a caller that blocks on that loop.
//
// A question has one answer, and answers come in any order. One that comes too late, or to an id
// that was never given, is dropped. When the monitor goes away, or sends a line that cannot be read
// or does not end, each open question is answered with that, and the monitor counts as gone.
//
// A monitor of a build before answers without ids; so its refusal is taken for the answer to the
// oldest question, a stage that is called as the question for the answer to that, and its VM's end
// for the answer to a stop.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/handle.h"
#include "ops/common/places.h"
#include "ops/link/link.h"
#include "sys/lines.h"
#include "sys/loop.h"
#include "sys/outbox.h"

namespace banger::ops {

class Client {
public:
  struct Told {
    // Reports to all, and refusals of a say().
    std::function<void(const Report&)> event = {};
    // Once: nothing more comes.
    std::function<void(const Error& why)> gone = {};
    // The monitor took some of what waited.
    std::function<void()> sent = {};
  };
  // failed() reports come as the error.
  using Answer = std::function<void(std::expected<Report, Error>)>;
  struct Patience {
    Millis answer;                    // until the answer
    std::optional<Millis> first = {}; // until the monitor says anything at all
    // The longest that it may say nothing, again and again until the answer: for a question of
    // which it tells all the time that it is at it.
    std::optional<Millis> quiet = {};
  };

  // Everything is called from the loop, and may destroy this.
  Client(sys::Loop& loop, Fd fd, Told told);
  Client(sys::Loop& loop, Fd fd) : Client(loop, std::move(fd), Told()) {}
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // `answer` is called once. When none comes in time it is Error(timeout) that names the question.
  // Where the monitor says nothing for seconds, Told::event is told so as if it were a stage: it
  // may have been stopped, and whoever waits must see for what.
  void ask(Ask ask, Patience patience, Answer answer);
  // Sends it without waiting for an answer.
  void say(const Ask& ask);
  // Bytes that the monitor has not taken yet.
  size_t waiting() const { return out_ ? out_->waiting() : 0; }

  // Runs the loop until the monitor reports one of `kinds` to all, which is given; reports before
  // it go to Told::event. None: `timeout` passed, or it is gone. Nothing that comes after is lost.
  std::optional<Report> wait_for(std::initializer_list<Report::Kind> kinds,
                                 std::optional<Millis> timeout);
  bool is_gone() const { return !fd_; }

private:
  struct Open {
    std::string verb;
    Answer answer;
    Patience patience;
    sys::Loop::Timer timer = 0, silence = 0, notice = 0;
  };
  using Questions = std::map<int64_t, Open>; // the oldest first

  void on_input();
  void take_lines();
  void take(const Report& r);
  void expect_word(int64_t id, Millis time);
  void on_word();
  void give_up(int64_t id, const char* what, Millis after);
  void settle(Questions::iterator question, std::expected<Report, Error> how);
  Questions::iterator asked_before_ids(const Report& r);
  void on_ended(const Report& r);
  void event(const Report& r);
  void lose(const Error& why);

  sys::Loop& loop_;
  Fd fd_;
  sys::LineReader lines_;
  std::optional<sys::Outbox> out_; // for as long as the descriptor is open
  Told told_;
  Questions open_;
  int64_t last_id_ = 0;
  std::vector<Report::Kind> awaited_;
  std::optional<Report> came_;
  sys::Loop::Timer rest_ = 0; // lines that were read and not taken yet
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

// A connection to the VM's monitor. Throws Error(unreachable) where no process listens, or takes it
// within `patience`, and where another one listens than the row's monitor: a VMM that its guest has
// taken over, and that no wall keeps from it, could listen in the monitor's place.
Fd connect_monitor(const Places& places, const Vm& vm, Millis patience = Millis(2'000));

// Asks the VM's monitor and blocks until the answer; a refusal is thrown. Stages that are
// told meanwhile go to `on_stage`. Throws Error(unreachable) when no monitor answers, or when it
// dies first, Error(timeout) when `patience` is at its end.
Report ask_monitor(const Places& places, const Vm& vm, const Ask& ask, Client::Patience patience,
                   const std::function<void(const Report&)>& on_stage);

} // namespace banger::ops

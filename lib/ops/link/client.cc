#include "ops/link/client.h"

#include <algorithm>

#include "sys/proc.h"
#include "sys/socket.h"

namespace banger::ops {

namespace {

// Of silence; a monitor answers within milliseconds whatever it can answer by itself.
constexpr Millis time_to_wonder{2'000};

bool asks_for_the_end(const std::string& verb) { return verb == "stop" || verb == "kill"; }

} // namespace

Client::Client(sys::Loop& loop, Fd fd, Told told)
    : loop_(loop), fd_(std::move(fd)), lines_(fd_.get()), told_(std::move(told)) {
  sys::set_nonblocking(fd_.get());
  out_.emplace(loop_, fd_.get(), [this] {
    if (auto tell = told_.sent) tell();
  });
  loop_.watch(fd_.get(), [this] { on_input(); });
}

Client::~Client() {
  if (fd_) loop_.forget(fd_.get());
  loop_.cancel(rest_);
  for (const auto& [id, question] : open_) {
    loop_.cancel(question.timer);
    loop_.cancel(question.silence);
    loop_.cancel(question.notice);
  }
}

void Client::ask(Ask ask, Patience patience, Answer answer) {
  int64_t id = ask.id = ++last_id_;
  Open& question = open_[id] = {ask.verb, std::move(answer), patience};
  question.timer = loop_.after(patience.answer, [this, id, after = patience.answer] {
    give_up(id, "its monitor has not answered", after);
  });
  expect_word(id, patience.first.value_or(patience.quiet.value_or(patience.answer)));
  if (fd_) return say(ask);
  loop_.cancel(question.timer);
  question.timer = loop_.after(Millis(0), [this, id] {
    settle(open_.find(id), std::unexpected(Error(Code::unreachable, "its monitor has gone away")));
  });
}

void Client::expect_word(int64_t id, Millis time) {
  Open& question = open_.at(id);
  if (time < question.patience.answer)
    question.silence =
        loop_.after(time, [this, id, time] { give_up(id, "its monitor does not answer", time); });
  if (time_to_wonder >= time) return;
  question.notice = loop_.after(time_to_wonder, [this] {
    if (auto tell = told_.event)
      tell(stage_report("silent", "waiting for its monitor, which has not answered yet"));
  });
}

// The monitor lives.
void Client::on_word() {
  for (auto& [id, question] : open_) {
    loop_.cancel(std::exchange(question.silence, 0));
    loop_.cancel(std::exchange(question.notice, 0));
    if (question.patience.quiet) expect_word(id, *question.patience.quiet);
  }
}

void Client::give_up(int64_t id, const char* what, Millis after) {
  auto question = open_.find(id);
  settle(question, std::unexpected(timed_out("{} '{}': waited {}", what, question->second.verb,
                                             format_duration(after))));
}

// One that is gone is seen by its end of the connection, which is read.
void Client::say(const Ask& ask) {
  if (out_) out_->send(to_line(ask));
}

std::optional<Report> Client::wait_for(std::initializer_list<Report::Kind> kinds,
                                       std::optional<Millis> timeout) {
  if (!fd_) return {};
  awaited_ = kinds;
  came_.reset();
  sys::Loop::Timer late = 0;
  if (timeout) late = loop_.after(*timeout, [this] { loop_.stop(); });
  struct Rest {
    Client& client;
    sys::Loop::Timer late;
    ~Rest() {
      client.loop_.cancel(late);
      client.awaited_.clear();
    }
  } rest{*this, late};
  loop_.run();
  return std::exchange(came_, {});
}

void Client::on_input() {
  try {
    if (!lines_.fill()) loop_.forget(fd_.get());
  } catch (const Error& e) {
    return lose(e);
  }
  take_lines();
}

void Client::take_lines() {
  loop_.cancel(rest_);
  for (std::weak_ptr<int> alive = alive_;;) {
    std::optional<Report> report;
    try {
      if (auto line = lines_.buffered()) report = parse_report(*line);
    } catch (const Error& e) {
      return lose(e);
    }
    if (!report) break;
    // take() calls a handler, which may throw, or ask for no more now: the lines that are left are
    // taken in a later round of the loop.
    rest_ = loop_.after(Millis(0), [this] { take_lines(); });
    take(*report);
    if (alive.expired() || came_) return;
    loop_.cancel(rest_);
  }
  if (lines_.ended()) lose(Error(Code::unreachable, "its monitor went away"));
}

void Client::take(const Report& r) {
  using Kind = Report::Kind;
  on_word();
  bool is_answer = r.kind == Kind::done || r.kind == Kind::failed;
  auto question = r.id.value_or(0) ? open_.find(*r.id) : r.id ? open_.end() : asked_before_ids(r);
  if (question != open_.end() && (is_answer || !r.id)) {
    if (r.error) return settle(question, std::unexpected(*r.error));
    return settle(question, r);
  }
  if (r.id.value_or(0) && is_answer) return; // no question waits for it
  if (r.kind == Kind::ended) return on_ended(r);
  event(r);
}

Client::Questions::iterator Client::asked_before_ids(const Report& r) {
  if (r.kind == Report::Kind::failed) return open_.begin();
  if (r.kind != Report::Kind::stage) return open_.end();
  return std::ranges::find_if(open_, [&](const auto& o) { return o.second.verb == r.stage; });
}

// Nothing is answered any more.
void Client::on_ended(const Report& r) {
  std::weak_ptr<int> alive = alive_;
  while (!open_.empty()) {
    auto question = open_.begin();
    if (asks_for_the_end(question->second.verb))
      settle(question, r);
    else
      settle(question, std::unexpected(Error(Code::unreachable, "its VM has ended")));
    if (alive.expired()) return;
  }
  event(r);
}

void Client::settle(Questions::iterator question, std::expected<Report, Error> how) {
  auto node = open_.extract(question);
  loop_.cancel(node.mapped().timer);
  loop_.cancel(node.mapped().silence);
  loop_.cancel(node.mapped().notice);
  node.mapped().answer(std::move(how));
}

void Client::event(const Report& r) {
  if (std::ranges::find(awaited_, r.kind) != awaited_.end()) {
    came_ = r;
    return loop_.stop();
  }
  if (auto tell = told_.event) tell(r);
}

void Client::lose(const Error& why) {
  loop_.forget(fd_.get());
  out_.reset();
  fd_.reset();
  if (!awaited_.empty()) loop_.stop();
  std::weak_ptr<int> alive = alive_;
  while (!open_.empty()) {
    settle(open_.begin(), std::unexpected(why));
    if (alive.expired()) return;
  }
  if (told_.gone) std::exchange(told_.gone, {})(why);
}

Fd connect_monitor(const Places& places, const Vm& vm, Millis patience) {
  Fd fd = sys::connect_unix(places.monitor_socket, patience);
  ProcessId monitor = vm.monitor_process();
  if (int pid = sys::maker_of(fd.get()); pid != monitor.pid || !sys::is_alive(monitor))
    throw Error(Code::unreachable,
                fmt::format("'{}' is not the socket of its monitor: process {} listens there",
                            places.monitor_socket, pid))
        .subject(vm.name);
  return fd;
}

Report ask_monitor(const Places& places, const Vm& vm, const Ask& ask, Client::Patience patience,
                   const std::function<void(const Report&)>& on_stage) {
  sys::Loop loop;
  std::expected<Report, Error> answer;
  Client client(loop, connect_monitor(places, vm), {[&](const Report& r) {
                  if (r.kind == Report::Kind::stage) on_stage(r);
                }});
  client.ask(ask, patience, [&](std::expected<Report, Error> a) {
    answer = std::move(a);
    loop.stop();
  });
  loop.run();
  if (!answer) throw std::move(answer).error();
  return *answer;
}

} // namespace banger::ops

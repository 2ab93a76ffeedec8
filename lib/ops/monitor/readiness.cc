#include "ops/monitor/readiness.h"

#include <csignal>
#include <utility>
#include <vector>

#include "sys/socket.h"

namespace banger::ops {

namespace {

constexpr Millis time_for_a_key{60'000}, next_try{1000};
// The verb has the deadline; a slow guest becomes ready all the same.
constexpr double for_ever = 7 * 86400;

} // namespace

Readiness::Readiness(sys::Loop& loop, Log& log, std::string libexec, int errors, OnReport on_report,
                     Millis silence)
    : loop_(loop), log_(log), libexec_(std::move(libexec)), errors_(errors),
      on_report_(std::move(on_report)), silence_(silence) {}

Readiness::~Readiness() { end(); }

void Readiness::warm_up() {
  if (!child_) start();
}

void Readiness::start() {
  auto [ours, theirs] = sys::socket_pair();
  auto child = sys::spawn({{libexec_ + "/banger-guest", "await"}, {}, {}, false},
                          {theirs.get(), theirs.get(), errors_, {}});
  link_ = std::move(ours);
  sys::set_nonblocking(link_.get());
  child_ = std::make_unique<sys::Child>(std::move(child));
  lines_ = std::make_unique<sys::LineReader>(link_.get());
  loop_.watch(link_.get(), [this] { on_output(); });
}

// The program alone.
void Readiness::drop() {
  if (!child_) return;
  loop_.forget(link_.get());
  try {
    child_->kill(SIGKILL);
    child_->wait();
  } catch (const Error&) {
    // The program ends by itself when the other end of its socket is closed.
  }
  child_.reset();
  lines_.reset();
  link_.reset();
}

void Readiness::end() {
  loop_.cancel(timer_);
  on_key_ = {};
  endpoint_.reset();
  asks_ = false;
  drop();
}

void Readiness::make_host_key(OnKey on_key) {
  on_key_ = std::move(on_key);
  key_tries_ = 0;
  ask_for_key();
}

void Readiness::ask_for_key() {
  key_tries_++;
  warm_up();
  sys::send_all(link_.get(), guest::to_line(guest::HostKeyRequest{}) + "\n");
  loop_.cancel(timer_);
  timer_ = loop_.after(time_for_a_key, [this] {
    key_tries_ = 2;
    key_fault(timed_out("cannot make an ssh host key: banger-guest says nothing"));
  });
}

void Readiness::key_fault(const Error& e) {
  loop_.cancel(timer_);
  drop();
  Error why = e;
  if (key_tries_ < 2) {
    log_.warn("monitor.await", e);
    try {
      return ask_for_key();
    } catch (const Error& again) {
      why = again;
    }
  }
  std::exchange(on_key_, {})(std::unexpected(std::move(why)));
}

void Readiness::begin(const guest::Endpoint& endpoint, bool has_userland) {
  endpoint_ = endpoint;
  asks_ = false;
  see(has_userland);
}

void Readiness::see(bool has_userland) {
  if (!endpoint_ || asks_) return;
  if (has_userland)
    ask();
  else
    ask_later(silence_);
}

void Readiness::ask_later(Millis pause) {
  loop_.cancel(timer_);
  timer_ = loop_.after(pause, [this] {
    if (endpoint_) ask();
  });
}

void Readiness::ask() {
  loop_.cancel(timer_);
  asks_ = true;
  try {
    warm_up();
    sys::send_all(link_.get(), guest::to_line(guest::AwaitRequest{*endpoint_, for_ever}) + "\n");
  } catch (const Error& e) {
    log_.warn("monitor.await", e);
    ask_again();
  }
}

void Readiness::ask_again() {
  drop();
  ask_later(next_try);
}

void Readiness::on_output() {
  bool more = true;
  std::optional<Error> fault;
  std::optional<guest::KeyPair> key;
  std::vector<guest::StageReport> reports;
  try {
    more = lines_->fill();
    while (auto line = lines_->buffered()) {
      if (on_key_)
        key = guest::parse_host_key(*line);
      else
        reports.push_back(guest::parse_stage_report(*line));
    }
  } catch (const Error& e) {
    fault = e;
  }
  if (on_key_ && key) {
    loop_.cancel(timer_);
    return std::exchange(on_key_, {})(std::move(*key));
  }
  if (!more && !fault && on_key_) fault = failed("cannot make an ssh host key: banger-guest died");
  if (fault && on_key_) return key_fault(*fault);
  // A report's receiver may call end(): the reports behind it are then not told.
  for (const guest::StageReport& report : reports)
    if (endpoint_) on_report_(report);
  if (fault) log_.warn("monitor.await", *fault);
  if (more && !fault) return;
  if (endpoint_) return ask_again();
  drop(); // also a program that was only warmed up
}

} // namespace banger::ops

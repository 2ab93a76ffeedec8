#include "ops/monitor/helper.h"

#include <csignal>

#include "sys/socket.h"

namespace banger::ops {

namespace {

sys::Child start(const sys::Command& command, const std::string& input, int errors, Fd& link) {
  auto [ours, theirs] = sys::socket_pair();
  sys::set_nonblocking(ours.get());
  link = std::move(ours);
  sys::Child child = sys::spawn(command, {theirs.get(), theirs.get(), errors, {}});
  if (!input.empty()) sys::send_all(link.get(), input);
  return child;
}

} // namespace

Helper::Helper(sys::Loop& loop, const sys::Command& command, const std::string& input, int errors,
               Millis patience, Answer answer)
    : loop_(loop), name_(command.argv[0].substr(command.argv[0].rfind('/') + 1)),
      child_(start(command, input, errors, link_)), lines_(link_.get()),
      answer_(std::move(answer)) {
  loop_.watch(link_.get(), [this] { on_output(); });
  deadline_ = loop_.after(
      patience, [this] { tell(std::unexpected(timed_out("{} does not answer", name_))); });
}

Helper::~Helper() {
  loop_.forget(link_.get());
  loop_.cancel(deadline_);
  try {
    child_.kill(SIGKILL);
    child_.wait();
  } catch (const Error&) {
    // The program ends by itself when the other end of its socket is closed.
  }
}

void Helper::on_output() {
  std::expected<std::string, Error> what = std::unexpected(failed("{} died", name_));
  try {
    bool more = lines_.fill();
    auto line = lines_.buffered();
    if (!line && more) return;
    if (line) what = std::move(*line);
  } catch (const Error& e) {
    what = std::unexpected(e);
  }
  tell(std::move(what));
}

void Helper::tell(std::expected<std::string, Error> what) {
  loop_.forget(link_.get());
  loop_.cancel(deadline_);
  Answer answer = std::move(answer_);
  answer(std::move(what));
}

} // namespace banger::ops

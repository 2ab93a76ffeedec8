#include "ops/monitor/saving.h"

#include <utility>

#include "ops/release/snapshots.h"
#include "sys/file.h"

namespace banger::ops {

namespace {
constexpr Millis next_word{1'000};
}

void Saving::begin(const Client& verb, const Reply& reply) {
  if (!verb_.expired()) return reply.refuse(conflict("a snapshot of it is being made"));
  sys::make_symlink(memory_dir(places_), places_.runtime + "/" + vmm::saved_dir);
  verb_ = verb;
  reply_ = reply;
  moves_.reset();
  tell_again();
  if (!standstill_.reason().empty()) return on_standstill();
  standstill_.pause(paused_for_snapshot, [this](const Error& e) { settle(e); });
}

void Saving::on_standstill() {
  const std::string& reason = standstill_.reason();
  if (reason.empty()) return;
  if (reply_ && !is_writing_) {
    if (standstill_.is_asked_for()) return save();
    return settle(conflict("it is paused: {}", reason));
  }
  // The verb has gone meanwhile, maybe with the monitor before.
  if (verb_.expired()) let_go();
}

void Saving::tell_again() {
  loop_.cancel(tell_);
  if (!reply_) return;
  reply_->tell("saving", "saving its memory");
  tell_ = loop_.after(next_word, [this] { tell_again(); });
}

void Saving::save() {
  is_writing_ = true;
  moves_ = standstill_.moves();
  vmm_.running().save(memory_dir(places_), [this](std::optional<Error> fault) {
    is_writing_ = false;
    settle(fault);
  });
}

void Saving::settle(const std::optional<Error>& fault) {
  auto reply = std::exchange(reply_, {});
  if (!reply) return;
  if (!fault) return reply->done(std::string(name_of(VmState::paused)));
  reply->refuse(*fault);
  let_go();
}

bool Saving::holds_for(const Client& verb, const Reply& reply) const {
  bool holds = verb_.lock() == verb && moves_ == standstill_.moves();
  if (!holds) reply.refuse(conflict("its guest was let go on meanwhile"));
  return holds;
}

void Saving::on_leave(const Client& client) {
  if (verb_.lock() != client) return;
  verb_.reset();
  reply_.reset();
  let_go();
}

void Saving::let_go() {
  if (!vmm_ || standstill_.reason() != paused_for_snapshot) return;
  standstill_.resume([this](const Error& e) { log_.warn("monitor.resume", e); });
}

void Saving::end(const Error& why) {
  is_writing_ = false;
  settle(why);
}

} // namespace banger::ops

#include "ops/monitor/standstill.h"

#include <utility>

#include "core/text.h"
#include "core/units.h"
#include "sys/file.h"

namespace banger::ops {

namespace {

constexpr Millis next_look{300};
// With this much more room the guest is let go on: enough for more than the write that failed.
constexpr int64_t worth_a_try = int64_t{1} << 20;
// Room is not always to be seen: a quota, a reserve of root's, a disk that fails for a while.
constexpr Millis try_anyway{5'000};
// A guest that goes on meets the same fault again within this time, if it is still there.
constexpr Millis time_to_settle{200};

std::string disk_name(const std::string& file) {
  return file == vmm::work_file ? "its work disk" : "its root disk";
}

} // namespace

std::string reason_of(const vmm::Pause& pause, std::optional<int64_t> free,
                      const std::string& place) {
  if (pause.asked) return paused_on_request;
  if (pause.disk.empty()) return pause.why.empty() ? "its VMM has stopped it" : pause.why;
  if (pause.is_full)
    return fmt::format("the host's disk is full: {}free in '{}'",
                       free ? format_size(*free) + " " : "nothing ", place);
  return fmt::format("the host cannot write {}{}{}", disk_name(pause.disk),
                     pause.why.empty() ? "" : ": ", pause.why);
}

Standstill::Standstill(sys::Loop& loop, Log& log, Vmm& vmm, std::function<void()> on_change)
    : loop_(loop), log_(log), vmm_(vmm), on_change_(std::move(on_change)) {}

Standstill::~Standstill() { end(); }

void Standstill::end() {
  moves_++;
  loop_.cancel(look_);
  loop_.cancel(settled_);
  pause_.reset();
  reason_.clear();
  is_unwanted_ = false;
}

void Standstill::take_over(const std::string& reason) {
  if (reason == paused_for_snapshot) asked_why_ = reason;
}

void Standstill::pause(const std::string& why, std::function<void(const Error&)> fault) {
  is_unwanted_ = false;
  asked_why_ = why;
  vmm_.running().pause([this, fault = std::move(fault)](const std::optional<Error>& e) {
    if (!e) return;
    is_unwanted_ = e->code() == Code::unreachable;
    fault(*e);
  });
}

void Standstill::resume(std::function<void(const Error&)> fault) {
  moves_++;
  vmm_.running().resume([fault = std::move(fault)](const std::optional<Error>& e) {
    if (e) fault(*e);
  });
}

void Standstill::take(const std::optional<vmm::Pause>& pause, const std::string& runtime_dir) {
  loop_.cancel(settled_);
  if (pause && pause->asked && std::exchange(is_unwanted_, false))
    return resume([this](const Error& e) { log_.warn("monitor.resume", e); });
  if (pause) return stand(*pause, runtime_dir);
  moves_++;
  loop_.cancel(look_);
  if (!pause_) return on_change_(); // an earlier monitor may have recorded a pause
  settled_ = loop_.after(time_to_settle, [this] { go_on(); });
}

void Standstill::stand(const vmm::Pause& pause, const std::string& runtime_dir) {
  bool is_new = pause_ != pause;
  pause_ = pause;
  loop_.cancel(look_); // one that stands on request goes on by request alone
  // What a VMM tells is a name in its directory, or nothing that is looked at.
  if (!pause.disk.empty() && pause.disk.find('/') == std::string::npos) {
    std::string name = runtime_dir + "/" + pause.disk;
    file_ = sys::read_link(name).value_or(name);
    room_ = room();
    tried_ = steady_now();
    look_ = loop_.after(next_look, [this] { look_for_room(); });
  }
  if (!is_new) return;
  reason_ =
      pause.asked ? asked_why_ : reason_of(pause, room_, file_.substr(0, file_.find_last_of('/')));
  on_change_();
}

void Standstill::go_on() {
  pause_.reset();
  reason_.clear();
  on_change_();
}

std::optional<int64_t> Standstill::room() const {
  try {
    return sys::free_space(file_);
  } catch (const Error& e) {
    log_.warn("monitor.room", e);
    return {};
  }
}

void Standstill::look_for_room() {
  std::optional<int64_t> now = room();
  bool helps = now && room_ && *now >= *room_ + worth_a_try;
  if (helps || steady_now() - tried_ >= try_anyway) {
    tried_ = steady_now();
    room_ = now;
    resume([this](const Error& e) { log_.warn("monitor.resume", e); });
  }
  look_ = loop_.after(next_look, [this] { look_for_room(); });
}

} // namespace banger::ops

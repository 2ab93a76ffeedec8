#include "state/watch.h"

#include <algorithm>

namespace banger::state {

namespace {
constexpr Millis shortest{1}, longest{1000};
}

StateWatch::StateWatch(sys::Loop& loop, const Dirs& dirs, State& state,
                       std::function<void()> on_commit)
    : loop_(loop), state_(state), on_commit_(std::move(on_commit)),
      stirs_(sys::watch_dir(dirs.state)), version_(state.data_version()), pause_(longest) {
  loop_.watch(stirs_.get(), [this] {
    sys::drain_events(stirs_.get());
    pause_ = shortest;
    look();
  });
  timer_ = loop_.after(pause_, [this] { look(); });
}

StateWatch::~StateWatch() {
  loop_.forget(stirs_.get());
  loop_.cancel(timer_);
}

void StateWatch::look() {
  loop_.cancel(timer_);
  timer_ = loop_.after(pause_, [this] { look(); });
  pause_ = std::min(pause_ * 2, longest);
  if (int64_t now = state_.data_version(); now != version_) {
    version_ = now;
    on_commit_();
  }
}

} // namespace banger::state

// Tells when another process has committed to the state, for a process that follows it.
//
// The kernel tells of a commit's bytes when they are written, and others can see the commit only
// after they were synced. So after each stir of the files the state's version is looked at again in
// growing steps, and once a second in any case: no commit is missed, most are seen within
// milliseconds, and nothing is busy where nothing happens.
#pragma once

#include <functional>

#include "core/handle.h"
#include "model/settings.h"
#include "state/state.h"
#include "sys/loop.h"

namespace banger::state {

class StateWatch {
public:
  // All of them must outlive it. A reader that reads after this was made, and again at each
  // `on_commit`, misses nothing. The state must exist.
  StateWatch(sys::Loop& loop, const Dirs& dirs, State& state, std::function<void()> on_commit);
  StateWatch(const StateWatch&) = delete;
  StateWatch& operator=(const StateWatch&) = delete;
  ~StateWatch();

private:
  void look();

  sys::Loop& loop_;
  State& state_;
  std::function<void()> on_commit_;
  Fd stirs_;
  int64_t version_;
  Millis pause_;
  sys::Loop::Timer timer_ = 0;
};

} // namespace banger::state

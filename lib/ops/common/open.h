// The state opened, and an operation's context made of it: the one way to either.
//
// The parts of these (settings, places, log) stay the caller's and must outlive them.
#pragma once

#include <functional>
#include <string_view>

#include "core/log.h"
#include "ops/common/context.h"

namespace banger::ops {

// The functions that tell people how the work goes; both may be empty.
struct Tell {
  OnStage stage;
  OnNotice notice;
};

namespace opened {
// Bases are made in their order: the state is there before the members that refer to it.
struct OwnState {
  state::State own_state;
};
struct OwnLog {
  Log own_log;
};
} // namespace opened

// To read. Nothing is settled, and nothing can be changed.
class Reading : private opened::OwnState, public Reader {
public:
  Reading(const Settings& s, const Dirs& d)
      : OwnState{state::State::open(d, state::Mode::read)}, Reader{s, d, own_state} {}
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
};

// To work, without looking at what others left (a verb opens ops/recover/work.h). With Mode::read
// for a verb that only says what it would do.
class Opened : private opened::OwnState, public Context {
public:
  Opened(const Settings& s, const Dirs& d, Log& l, Tell tell = {},
         state::Mode mode = state::Mode::write);
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
};

// For a thread that works beside that of `other`: neither a State nor a Log may be shared. Tells
// people by the other's functions, which must bear that.
class OpenedBeside : private opened::OwnState, private opened::OwnLog, public Context {
public:
  explicit OpenedBeside(const Context& other);
  OpenedBeside(const OpenedBeside&) = delete;
  OpenedBeside& operator=(const OpenedBeside&) = delete;
};

} // namespace banger::ops

// The state opened, and what an operation is given of it: the one way to either.
//
// What these were made of (settings, places, log) stays the caller's and must outlive them.
#pragma once

#include <functional>
#include <string_view>

#include "core/log.h"
#include "ops/common/context.h"

namespace banger::ops {

// How people are told what goes on; both may be empty.
struct Tell {
  OnStage stage;
  OnNotice notice;
};

namespace opened {
// Bases are made in their order: the state is there before what refers to it.
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
// for what only says what it would do.
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

#include "ops/common/open.h"

namespace banger::ops {

Opened::Opened(const Settings& s, const Dirs& d, Log& l, Tell tell, state::Mode mode)
    : OwnState{state::State::open(d, mode)}, Context{{s, d, own_state}, l} {
  if (tell.stage) stage = std::move(tell.stage);
  if (tell.notice) notice = std::move(tell.notice);
}

OpenedBeside::OpenedBeside(const Context& other)
    : OwnState{state::State::open(other.dirs, other.state.mode())},
      OwnLog{Log(other.log.path(), other.log.level(), other.log.op(), other.log.directory())},
      Context{{other.settings, other.dirs, own_state}, own_log, other.stage, other.notice} {}

} // namespace banger::ops

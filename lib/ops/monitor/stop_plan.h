// How a VM is made to stop: harder and harder, each step only after the one before had its time.
// Pure.
#pragma once

#include <optional>
#include <string_view>

#include "core/units.h"

namespace banger::ops {

enum class Knock {
  none, // it was not asked to stop
  room, // it stands still and hears nothing: it may go on
  keys, // Ctrl-Alt-Del
  ssh,  // poweroff over ssh
  term, // SIGTERM to the VMM
  kill  // SIGKILL
};
std::string_view name_of(Knock knock);

struct StopFacts {
  bool was_ready = false;
  Millis timeout{0};     // how long the guest may take
  bool is_still = false; // its VMM has stopped it, now
  bool is_exact = false; // the timeout is for all until SIGTERM; else for Ctrl-Alt-Del alone
};

struct StopStep {
  Knock knock = Knock::none;
  std::optional<Millis> wait; // until the next step; none after the last
  bool operator==(const StopStep&) const = default;
};

// The step after `last`. A guest that has not come up has nothing to lose, and no ssh server to
// ask. A guest that stands still hears no knock, and has half of its time to go on first.
StopStep next_step(Knock last, const StopFacts& facts);

} // namespace banger::ops

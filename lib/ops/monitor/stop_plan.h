// How a VM is made to stop: harder and harder, each step only after the one before had its time.
// Pure.
#pragma once

#include <optional>
#include <string_view>

#include "core/units.h"

namespace banger::ops {

enum class Knock {
  none, // nobody has asked it to stop
  keys, // Ctrl-Alt-Del
  ssh,  // poweroff over ssh
  term, // SIGTERM to the VMM
  kill  // SIGKILL
};
std::string_view name_of(Knock knock);

struct StopFacts {
  bool was_ready = false;
  Millis timeout{0}; // how long the guest may take
};

struct StopStep {
  Knock knock = Knock::none;
  std::optional<Millis> wait; // until the next step; none after the last
  bool operator==(const StopStep&) const = default;
};

// The step after `last`. A guest that has not come up has nothing to lose, and nobody who hears a
// knock over ssh.
StopStep next_step(Knock last, const StopFacts& facts);

} // namespace banger::ops

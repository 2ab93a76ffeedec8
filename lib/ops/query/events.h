// The events of VMs, oldest first: those that the state keeps, and those to come.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/event.h"
#include "model/settings.h"

namespace banger::ops {

struct EventQuery {
  std::vector<std::string> vms; // names (of VMs that are gone, too) or id prefixes; empty: all
  std::optional<size_t> last;   // only so many of those that are kept
  bool follow = false;          // then go on with what comes, for ever
  int reader = -1;              // a pipe or socket; following ends when it has no reader any more
};

// Gives each event once, in order, none left out (the state keeps the last 10,000). Throws
// Error(not_found) for a name that neither a VM nor an event has, unless it follows.
void read_events(const Dirs& dirs, const EventQuery& query,
                 const std::function<void(std::span<const Event>)>& give);

} // namespace banger::ops

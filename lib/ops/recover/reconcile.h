// Making rows true again after something died: a verb, a monitor, a VMM, the host.
//
// The last column of the states' table (architecture.md). Every mutating verb calls reconcile()
// first; it costs a look at run.lock for each VM that is live and nothing for the others. A VM at
// which another verb or a monitor is at work is left to it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "ops/common/context.h"

namespace banger::ops {

// The finding about a VM, and the remedy; both for people.
struct Reconciled {
  std::string name, id;
  std::string found;          // "running, without its monitor"
  std::string done;           // "given a new monitor"; empty when that failed
  std::optional<Vm> vm;       // its row afterwards; none when it is gone
  std::optional<Error> error; // why nothing could be done
};

// All VMs (and image imports) of the state. Gives those VMs that were not in order.
std::vector<Reconciled> reconcile(Context& ctx);

} // namespace banger::ops

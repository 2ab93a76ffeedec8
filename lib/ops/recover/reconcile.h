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

// What was found of a VM, and what was done about it; both for people.
struct Reconciled {
  std::string name, id;
  std::string found;          // "running, without its monitor"
  std::string done;           // "given a new monitor"; empty when that failed
  std::optional<Vm> vm;       // its row afterwards; none when it is gone
  std::optional<Error> error; // why nothing could be done
};

// All VMs (and image imports) of the state. What it gives are those VMs that were not in order.
std::vector<Reconciled> reconcile(Context& ctx);

// One VM whose op.lock the caller holds. Returns its row as it is now; none if it is gone. A
// running VM whose monitor died gets a new one.
std::optional<Vm> reconcile_locked(Context& ctx, const Vm& vm);

// What a reader is told: the row, with state and reason as identity shows them. Changes nothing.
// For a live VM at most 3 system calls and one open as long as its monitor is there.
Vm as_seen(const Dirs& dirs, const std::string& tag, Vm vm);

} // namespace banger::ops

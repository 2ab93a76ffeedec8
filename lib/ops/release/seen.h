// A VM's row as readers see it.
#pragma once

#include "ops/common/context.h"

namespace banger::ops {

// Whether something may have died without its row saying so.
bool needs_look(const Vm& vm);

// The row with state and reason as identity shows them. Changes nothing. For a live VM at most 3
// system calls and one open as long as its monitor is there.
Vm as_seen(const Dirs& dirs, const std::string& tag, Vm vm);

// Whether the VM is gone though its row stands: it is to go when it stops (--rm), its `run` has
// died or let it go, and nothing of it runs. The next command that changes anything removes the
// rest, so that no reader is shown it.
bool is_gone(const Dirs& dirs, const std::string& tag, const Vm& vm);

} // namespace banger::ops

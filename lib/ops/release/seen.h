// A row as its reader is told it.
#pragma once

#include "ops/common/context.h"

namespace banger::ops {

// Whether something may have died without its row saying so.
bool needs_look(const Vm& vm);

// What a reader is told: the row, with state and reason as identity shows them. Changes nothing.
// For a live VM at most 3 system calls and one open as long as its monitor is there.
Vm as_seen(const Dirs& dirs, const std::string& tag, Vm vm);

} // namespace banger::ops

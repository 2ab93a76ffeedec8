// Everything that is a VM's own, removed with its row.
#pragma once

#include "ops/common/context.h"
#include "ops/common/places.h"

namespace banger::ops {

// The removal itself, for a caller that holds op.lock or run.lock: marks the row `removing`,
// removes its files and its pinned host key, then the row. Done twice it does the rest; while
// another process that lives is at it, nothing.
void remove_vm_rest(Context& ctx, const Vm& vm);
// Its disks and logs go, the directory stays. A missing file is no failure.
void remove_disks(const Places& places);
// Whether the process that began its removal lives.
bool is_being_removed(const Vm& vm);
// Whether it is one of `run --rm` that has ended, or never began, and its `run` has gone: the next
// command that finds it removes it.
bool is_abandoned(const Vm& vm);

} // namespace banger::ops

// Makes one VM's row true again after one of its processes died.
#pragma once

#include <optional>

#include "ops/common/context.h"

namespace banger::ops {

// The caller holds the VM's op.lock. Returns its row as it is now; none if it is gone. A running
// VM whose monitor died gets a new one.
std::optional<Vm> reconcile_locked(Context& ctx, const Vm& vm);

} // namespace banger::ops

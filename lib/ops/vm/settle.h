// One VM's row made true again after something of it died.
#pragma once

#include <optional>

#include "ops/common/context.h"

namespace banger::ops {

// One VM whose op.lock the caller holds. Returns its row as it is now; none if it is gone. A
// running VM whose monitor died gets a new one.
std::optional<Vm> reconcile_locked(Context& ctx, const Vm& vm);

} // namespace banger::ops

// `banger net nat`: whether a VM on the host's bridge has a way out.
#pragma once

#include <string>

#include "ops/common/context.h"
#include "ops/vm/reached.h"

namespace banger::ops {

// Of a VM that runs at once, and for its starts from now on. Throws Error(conflict) for a VM on a
// network where that is not to be chosen.
Reached set_nat(Context& ctx, const std::string& ref, bool on);

} // namespace banger::ops

// Removes a VM with everything that is its own.
#pragma once

#include "ops/common/context.h"

namespace banger::ops {

// Stopped or failed VMs only, unless `force`: then a running one is killed first. Throws
// Error(conflict) with a hint, Error(not_found).
void remove_vm(Context& ctx, const std::string& ref, bool force);

} // namespace banger::ops

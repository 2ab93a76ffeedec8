// Tells ssh on the host of a VM: its host key goes to the known hosts, and the VM into an installed
// config. Both files have a lock that another program may keep.
#pragma once

#include "ops/common/context.h"

namespace banger::ops {

// Waits for the locks. The VM's host key is that of its file.
void pin_host(Context& ctx, const Vm& vm);
// The same without waiting; false, with nothing done, where another program may hold a lock.
bool try_to_pin_host(Context& ctx, const Vm& vm);

} // namespace banger::ops

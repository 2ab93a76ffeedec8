// What ssh on the host knows of a VM: its host key in the known hosts, and its place in an
// installed config. Both files have a lock that another program may keep.
#pragma once

#include "ops/common/context.h"

namespace banger::ops {

// Waits for the locks. The VM's host key is that of its file.
void pin_host(Context& ctx, const Vm& vm);
// The same where nobody has to be waited for; false where that may be, and nothing was done.
bool try_to_pin_host(Context& ctx, const Vm& vm);

} // namespace banger::ops

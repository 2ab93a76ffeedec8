// Has a guest's processors stand still, and go on. Its memory stays in its VMM.
#pragma once

#include "ops/common/context.h"
#include "ops/vm/reached.h"

namespace banger::ops {

// Returns when the guest stands still. One that is paused on request is left as it is. Throws
// Error(conflict) for a VM that does not run, and for one that its VMM has stopped by itself: that
// goes on by itself.
Reached pause_vm(Context& ctx, const std::string& ref);

// Returns when the guest runs again; its clock is set a moment later. One that runs is left as it
// is. Throws Error(conflict) as pause_vm does.
Reached resume_vm(Context& ctx, const std::string& ref);

} // namespace banger::ops

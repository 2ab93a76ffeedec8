// Stops a guest's processors, and lets them go on. Its memory stays in its VMM.
#pragma once

#include "ops/common/context.h"
#include "ops/vm/reached.h"

namespace banger::ops {

// Returns when the guest stands still. A VM that is paused on request is left as it is. Throws
// Error(conflict) for a VM that does not run, and for a VM whose VMM has stopped it by itself:
// that goes on by itself, too.
Reached pause_vm(Context& ctx, const std::string& ref);

// Returns when the guest runs again; its clock is set a moment later. A VM that runs is left as it
// is. One that stands still for a snapshot goes on, and its snapshot is not made: whoever makes it
// may be suspended, and never let it go on. Throws Error(conflict) as pause_vm does for others.
Reached resume_vm(Context& ctx, const std::string& ref);

} // namespace banger::ops

// Stops a VM: asked first, forced when its time is over; or killed at once.
#pragma once

#include "ops/common/context.h"

namespace banger::ops {

// Ctrl-Alt-Del, then poweroff over ssh, SIGTERM, SIGKILL, each when the one before did not help in
// its time. Returns the row afterwards. A VM that does not run: Error(conflict).
Vm stop_vm(Context& ctx, const std::string& ref, std::optional<Millis> timeout);

// At once, with the loss of what the guest had not written.
Vm kill_vm(Context& ctx, const std::string& ref);

} // namespace banger::ops

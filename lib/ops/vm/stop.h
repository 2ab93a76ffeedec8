// Stops a VM: asked first, forced when its time is over; or killed at once.
#pragma once

#include "ops/common/context.h"
#include "ops/vm/reached.h"

namespace banger::ops {

// Ctrl-Alt-Del, then poweroff over ssh, SIGTERM, SIGKILL, each when the one before did not help in
// its time. A `timeout` is for all until SIGTERM; vm.stop_timeout, taken where there is none, is
// for Ctrl-Alt-Del alone, and longer under emulation. A VM that does not run is left as it is.
// Throws Error(conflict) for a VM that is being made or removed, Error(failed) or Error(timeout)
// where it did not end.
Reached stop_vm(Context& ctx, const std::string& ref, std::optional<Millis> timeout);

// Kills the VM at once: the guest loses all that it had not written to its disks.
Reached kill_vm(Context& ctx, const std::string& ref);

} // namespace banger::ops

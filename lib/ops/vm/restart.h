// Stops a VM and starts it again; it keeps everything.
#pragma once

#include "ops/vm/start.h"

namespace banger::ops {

struct RestartOptions {
  std::optional<Millis> stop_timeout; // vm.stop_timeout where not given
  StartOptions start;
};

// A VM that does not run is just started. Throws Error(conflict) for a VM of `run --rm`, which the
// stop would remove; Error(preflight), before the stop, for a VM that could not start again; else
// as stop_vm and start_vm do. Returns the row as it is then.
Reached restart_vm(Context& ctx, const std::string& ref, const RestartOptions& options);

} // namespace banger::ops

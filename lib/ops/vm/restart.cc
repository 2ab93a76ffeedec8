#include "ops/vm/restart.h"

#include "core/error.h"
#include "ops/vm/preflight.h"
#include "ops/vm/stop.h"

namespace banger::ops {

Reached restart_vm(Context& ctx, const std::string& ref, const RestartOptions& options) {
  Vm vm = ctx.state.get_vm(ref);
  if (vm.remove_when_stopped)
    throw conflict("cannot restart '{}': it is removed when it stops", vm.name)
        .subject(vm.name)
        .hint(fmt::format("banger vm stop {} stops and removes it", vm.name));
  if (is_live(vm.state)) {
    require_restart(ctx, vm); // a VM that could not come up again is not stopped
    stop_vm(ctx, vm.id, options.stop_timeout);
  }
  // Another command may have started it again meanwhile; it was restarted all the same.
  return {start_vm(ctx, vm.id, options.start).vm, true};
}

} // namespace banger::ops

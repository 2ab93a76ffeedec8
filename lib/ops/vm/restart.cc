#include "ops/vm/restart.h"

#include "core/error.h"
#include "ops/vm/preflight.h"
#include "ops/vm/stop.h"

namespace banger::ops {

Vm restart_vm(Context& ctx, const std::string& ref, const RestartOptions& options) {
  Vm vm = ctx.state.get_vm(ref);
  if (vm.remove_when_stopped)
    throw conflict("cannot restart '{}': it is removed when it stops", vm.name)
        .subject(vm.name)
        .hint(fmt::format("banger vm stop {} stops and removes it", vm.name));
  if (is_live(vm.state)) {
    require_restart(ctx, vm); // what could not come up again is not taken down
    try {
      stop_vm(ctx, vm.id, options.stop_timeout);
    } catch (const Error& e) {
      if (e.code() != Code::conflict) throw; // it ended by itself meanwhile
    }
  }
  return start_vm(ctx, vm.id, options.start);
}

} // namespace banger::ops

#include "ops/vm/run.h"

#include <csignal>
#include <optional>

#include "core/error.h"
#include "ops/vm/create.h"
#include "ops/vm/exec.h"
#include "ops/vm/remove.h"
#include "ops/vm/stop.h"
#include "sys/signals.h"

namespace banger::ops {

namespace {

// A guest may end by itself, and its monitor then removes it.
void stop_if_there(Context& ctx, const std::string& id) {
  try {
    stop_vm(ctx, id, {});
  } catch (const Error& e) {
    if (e.code() != Code::not_found) throw;
  }
}

} // namespace

int run_vm(Context& ctx, const RunRequest& request,
           const std::function<void(const Vm&)>& on_ready) {
  bool remove = request.spec.remove_when_stopped;
  CreatePlan plan = plan_create(ctx, request.spec, true);
  std::optional<sys::Signals> signals;
  StartOptions start = request.start;
  if (remove) start.interrupt = signals.emplace({SIGINT, SIGTERM, SIGHUP}).fd();
  Vm vm = create_vm(ctx, std::move(plan));
  try {
    if (request.foreground) { // there it is the VM that they stop
      Vm ended = run_foreground(ctx, vm.id, start, on_ready);
      return ended.state == VmState::failed ? exit_status(Code::failed) : 0;
    }
    vm = start_vm(ctx, vm.id, start).vm;
    on_ready(vm);
    if (request.command.empty()) return 0;
    int status = run_in_guest(ctx, vm, request.command, request.common);
    if (!remove) return status;
    ctx.stage(vm.name, "stopping");
    stop_if_there(ctx, vm.id);
    return status;
  } catch (const Error&) {
    if (remove && ctx.state.find_vm_by_id(vm.id)) remove_vm(ctx, vm.id, true);
    throw;
  }
}

} // namespace banger::ops

#include "ops/vm/stop.h"

#include "core/error.h"
#include "ops/common/places.h"
#include "ops/link/link.h"
#include "ops/vm/hold.h"
#include "ops/vm/settle.h"
#include "sys/lock.h"
#include "sys/proc.h"
#include "sys/socket.h"

namespace banger::ops {

namespace {

constexpr Millis time_to_die{2'000};

// The row of a VM that has ended.
Vm after_end(Context& ctx, const Vm& vm) {
  if (auto after = ctx.state.find_vm_by_id(vm.id)) return *after;
  Vm gone = vm; // with --rm: what it was is what we knew of it
  gone.state = VmState::stopped;
  return gone;
}

Vm end_vm(Context& ctx, const std::string& ref, const char* verb, Millis timeout) {
  Stage timed(ctx.log, fmt::format("vm.{}", verb), ref);
  auto [vm, lock] = hold_vm(ctx, ref, verb);
  if (!is_live(vm.state))
    throw conflict("cannot {} '{}': it is {}", verb, vm.name, name_of(vm.state))
        .subject(vm.name)
        .hint(fmt::format("banger vm start {} starts it", vm.name));
  Places places = places_of(ctx.dirs, ctx.state.tag(), vm);
  Millis patience = scaled(timeout, vm.accel.value_or(Accel::tcg)) * 2 + Millis(30'000);
  // A monitor that dies while we speak to it leaves the VM to be settled or adopted, and then the
  // new one is asked. More than a few deaths in a row are somebody's doing.
  for (int deaths = 0;; deaths++) {
    try {
      ask_monitor(places.monitor_socket, {verb, timeout}, patience,
                  [&](const Report& r) { ctx.stage(vm.name, r.text); });
      break;
    } catch (const Error& e) {
      if (e.code() != Code::unreachable || deaths == 3) throw;
      auto after = ctx.state.find_vm_by_id(vm.id);
      // Its socket goes a moment before its lock does.
      if (after)
        if (auto dying = sys::open_process(after->monitor_process()))
          sys::wait_readable(dying->get(), time_to_die);
      if (after && is_live(after->state)) after = reconcile_locked(ctx, *after);
      if (!after || !is_live(after->state)) break;
    }
  }
  return after_end(ctx, vm);
}

// Who kills does not wait for a verb that is at work on the VM, a patient stop for one: its monitor
// is asked without op.lock. False if it did not come to that.
bool kill_at_once(Context& ctx, const Vm& vm) {
  Places places = places_of(ctx.dirs, ctx.state.tag(), vm);
  if (!sys::FileLock::is_held(places.op_lock) || !sys::FileLock::is_held(places.run_lock))
    return false;
  try {
    ask_monitor(places.monitor_socket, {"kill", Millis(0)}, Millis(60'000),
                [&](const Report& r) { ctx.stage(vm.name, r.text); });
    return true;
  } catch (const Error& e) {
    if (e.code() != Code::unreachable) throw;
    return false; // it died; what it left is settled under op.lock
  }
}

} // namespace

Vm stop_vm(Context& ctx, const std::string& ref, std::optional<Millis> timeout) {
  return end_vm(ctx, ref, "stop", timeout.value_or(ctx.settings.vm_stop_timeout));
}

Vm kill_vm(Context& ctx, const std::string& ref) {
  Vm vm = ctx.state.get_vm(ref);
  if (kill_at_once(ctx, vm)) return after_end(ctx, vm);
  return end_vm(ctx, vm.id, "kill", Millis(0));
}

} // namespace banger::ops

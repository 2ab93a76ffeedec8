#include "ops/vm_stop.h"

#include "core/error.h"
#include "ops/monitor_link.h"
#include "ops/places.h"
#include "ops/reconcile.h"
#include "sys/lock.h"

namespace banger::ops {

namespace {

Vm end_vm(Context& ctx, const std::string& ref, const char* verb, Millis timeout) {
  Stage timed(ctx.log, fmt::format("vm.{}", verb), ref);
  Vm vm = ctx.state.get_vm(ref);
  auto lock = sys::FileLock::take(places_of(ctx.dirs, ctx.state.tag(), vm).op_lock);
  auto now = reconcile_locked(ctx, ctx.state.get_vm(vm.id));
  if (!now || !is_live(now->state))
    throw conflict("cannot {} '{}': it is {}", verb, vm.name, now ? name_of(now->state) : "removed")
        .subject(vm.name)
        .hint(fmt::format("banger vm start {} starts it", vm.name));
  vm = *now;
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
      if (after && is_live(after->state)) after = reconcile_locked(ctx, *after);
      if (!after || !is_live(after->state)) break;
    }
  }
  // Gone with --rm: what it was is what we knew of it.
  Vm after = ctx.state.find_vm_by_id(vm.id).value_or(vm);
  if (!ctx.state.find_vm_by_id(vm.id)) after.state = VmState::stopped;
  return after;
}

} // namespace

Vm stop_vm(Context& ctx, const std::string& ref, std::optional<Millis> timeout) {
  return end_vm(ctx, ref, "stop", timeout.value_or(ctx.settings.vm_stop_timeout));
}

Vm kill_vm(Context& ctx, const std::string& ref) { return end_vm(ctx, ref, "kill", Millis(0)); }

} // namespace banger::ops

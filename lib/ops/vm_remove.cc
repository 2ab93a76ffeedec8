#include "ops/vm_remove.h"

#include "core/error.h"
#include "guest/known_hosts.h"
#include "ops/places.h"
#include "ops/private_net.h"
#include "ops/reconcile.h"
#include "ops/ssh_config.h"
#include "ops/vm_stop.h"
#include "sys/file.h"
#include "sys/lock.h"

namespace banger::ops {

void remove_vm(Context& ctx, const std::string& ref, bool force) {
  Vm vm = ctx.state.get_vm(ref);
  if (force && is_live(vm.state)) {
    try {
      kill_vm(ctx, vm.id);
    } catch (const Error& e) {
      if (e.code() != Code::conflict) throw; // it ended by itself meanwhile
    }
    if (!ctx.state.find_vm_by_id(vm.id)) return; // it was one of --rm
  }
  Places places = places_of(ctx.dirs, ctx.state.tag(), vm);
  sys::make_dirs(places.dir); // somebody may have removed it by hand; the lock lives there
  auto lock = sys::FileLock::take(places.op_lock);
  auto now = reconcile_locked(ctx, ctx.state.get_vm(vm.id));
  if (!now) return;
  if (is_live(now->state))
    throw conflict("cannot remove '{}': it is {}", now->name, name_of(now->state))
        .subject(now->name)
        .hint(fmt::format("banger vm rm --force {} stops it first", now->name));
  remove_vm_rest(ctx, *now);
}

void remove_vm_rest(Context& ctx, const Vm& vm) {
  ctx.state.change_vm(vm.id, [](Vm& v) { v.state = VmState::removing; });
  Places places = places_of(ctx.dirs, ctx.state.tag(), vm);
  PrivateNet(ctx, ctx.dirs.libexec).leave(vm);
  sys::remove_tree(places.runtime);
  guest::remove_known_host(ctx.dirs.keys(), vm.name + ".vm");
  sys::remove_tree(places.dir);
  ctx.state.transaction([&] {
    ctx.state.remove_vm(vm.id);
    record(ctx, vm.name, "vm.removed", {{"id", vm.id}});
  });
  refresh_ssh_config(ctx);
}

} // namespace banger::ops

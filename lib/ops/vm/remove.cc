#include "ops/vm/remove.h"

#include "core/error.h"
#include "ops/common/places.h"
#include "ops/release/removal.h"
#include "ops/vm/hold.h"
#include "ops/vm/settle.h"
#include "ops/vm/stop.h"
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
  if (is_being_removed(vm)) throw conflict("'{}' is just being removed", vm.name).subject(vm.name);
  sys::make_dirs(places.dir); // somebody may have removed it by hand; the lock lives there
  auto lock = lock_vm(ctx, vm, "remove");
  auto row = ctx.state.find_vm_by_id(vm.id);
  if (!row) {
    sys::remove_tree(places.dir); // it went meanwhile, and this is not its directory
    throw not_found("cannot remove '{}': it is gone", vm.name).subject(vm.name);
  }
  auto now = reconcile_locked(ctx, *row);
  if (!now) return;
  if (is_live(now->state))
    throw conflict("cannot remove '{}': it is {}", now->name, name_of(now->state))
        .subject(now->name)
        .hint(fmt::format("banger vm rm --force {} stops it first", now->name));
  remove_vm_rest(ctx, *now);
}

} // namespace banger::ops

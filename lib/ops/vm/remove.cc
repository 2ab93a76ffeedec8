#include "ops/vm/remove.h"

#include <cerrno>

#include "core/error.h"
#include "model/words.h"
#include "ops/release/release.h"
#include "ops/release/removal.h"
#include "ops/vm/hold.h"
#include "ops/vm/settle.h"
#include "ops/vm/stop.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

// Runs `body`, which writes the state. Where the disk is full, the VM's own disks are removed and
// it runs again: they go in any case. The caller holds op.lock. A verb that is killed in between
// leaves a VM without its disks, which can only be removed.
template <typename F>
auto with_room(const Vm& vm, const Places& places, F&& body) {
  try {
    return body();
  } catch (const Error& e) {
    bool is_full = e.error_number() == ENOSPC || e.error_number() == EDQUOT;
    bool runs = sys::FileLock::is_held(places.run_lock) || sys::is_alive(vm.vmm_process());
    if (!is_full || runs) throw;
  }
  remove_disks(places);
  return body();
}

// False for a VM that runs.
bool remove_once(Context& ctx, const Vm& vm, bool force) {
  if (force && is_live(vm.state)) {
    try {
      kill_vm(ctx, vm.id);
    } catch (const Error& e) {
      // On a full disk the VM has ended, and only its row is not written. Else it is told below.
      if (e.error_number() != ENOSPC && e.error_number() != EDQUOT) throw;
    }
    if (!ctx.state.find_vm_by_id(vm.id)) return true; // with --rm its end has removed it
  }
  Places places = places_of(ctx.dirs, ctx.state.tag(), vm);
  if (is_being_removed(vm)) throw conflict("'{}' is just being removed", vm.name).subject(vm.name);
  mend_locks(places);
  sys::make_dirs(places.dir); // it may have been removed by hand; the lock lives there
  auto lock = lock_vm(ctx, vm, "remove");
  auto row = ctx.state.find_vm_by_id(vm.id);
  if (!row) {
    sys::remove_tree(places.dir); // the VM went meanwhile; this directory was made here
    throw not_found("cannot remove '{}': it is gone", vm.name).subject(vm.name);
  }
  auto now = with_room(*row, places, [&] { return reconcile_locked(ctx, *row); });
  if (!now) return true;
  if (is_live(now->state)) return false;
  with_room(*now, places, [&] { remove_vm_rest(ctx, *now); });
  return true;
}

} // namespace

void remove_vm(Context& ctx, const std::string& ref, bool force) {
  Vm vm = ctx.state.get_vm(ref);
  // By force a VM is ended before its lock is waited for, and another command may start it between.
  for (int tries = force ? 10 : 1; tries > 0; tries--) {
    if (remove_once(ctx, vm, force)) return;
    vm = ctx.state.get_vm(vm.id);
  }
  Error error = conflict("cannot remove '{}': {}", vm.name, is_now(vm.state)).subject(vm.name);
  if (!force) error.default_hint(fmt::format("banger vm rm --force {} kills it first", vm.name));
  throw error;
}

} // namespace banger::ops

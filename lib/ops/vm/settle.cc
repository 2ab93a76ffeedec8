#include "ops/vm/settle.h"

#include "core/error.h"
#include "ops/common/places.h"
#include "ops/release/mapping.h"
#include "ops/release/release.h"
#include "ops/release/removal.h"
#include "ops/release/reset.h"
#include "ops/release/snapshots.h"
#include "ops/vm/spawn.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

std::optional<Vm> unless_abandoned(Context& ctx, Vm vm) {
  if (!is_abandoned(vm)) return vm;
  remove_vm_rest(ctx, vm);
  return {};
}

} // namespace

std::optional<Vm> reconcile_locked(Context& ctx, const Vm& vm) {
  Places places = places_of(ctx.dirs, ctx.state.tag(), vm);
  settle_snapshots(ctx, places, vm);
  auto settled = [&](VmState state, const char* reason) {
    Vm down = settle_vm(ctx, vm, places, state, reason);
    return unless_abandoned(ctx, settle_restore(ctx, places, down));
  };
  if (sys::FileLock::is_held(places.run_lock)) return vm; // its monitor is there
  switch (vm.state) {
  case VmState::stopped:
  case VmState::failed:
    unmap_root(ctx, vm);
    settle_reset(places, vm);
    return unless_abandoned(ctx, settle_restore(ctx, places, vm));
  case VmState::creating:
    if (sys::is_alive(vm.creator) && vm.creator != sys::this_process())
      throw conflict("'{}' is just being made", vm.name).subject(vm.name);
    [[fallthrough]];
  case VmState::removing:
    if (is_being_removed(vm) && vm.creator != sys::this_process())
      throw conflict("'{}' is just being removed", vm.name).subject(vm.name);
    end_vmm(vm, places);
    sys::remove_tree(places.runtime);
    remove_vm_rest(ctx, vm);
    return {};
  case VmState::starting:
    return settled(VmState::stopped, "the start was interrupted");
  case VmState::stopping:
    return settled(VmState::stopped, "the stop was interrupted");
  case VmState::running:
  case VmState::paused:
    break;
  }
  if (!sys::is_alive(vm.vmm_process())) return settled(VmState::failed, unobserved);
  adopt_vm(ctx, vm);
  return ctx.state.find_vm_by_id(vm.id);
}

} // namespace banger::ops

#include "ops/release/seen.h"

#include "ops/common/places.h"
#include "ops/release/release.h"
#include "ops/release/removal.h"
#include "sys/lock.h"
#include "sys/proc.h"

namespace banger::ops {

bool needs_look(const Vm& vm) {
  return is_live(vm.state) || vm.state == VmState::creating || vm.state == VmState::removing ||
         vm.remove_when_stopped;
}

Vm as_seen(const Dirs& dirs, const std::string& tag, Vm vm) {
  if (!needs_look(vm)) return vm;
  Places places = places_of(dirs, tag, vm);
  if (vm.state == VmState::creating) {
    if (!sys::is_alive(vm.creator)) vm.reason = "interrupted; the next command removes it";
    return vm;
  }
  if (!is_live(vm.state) && vm.state != VmState::removing) {
    if (is_abandoned(vm)) vm.reason = "interrupted; the next command removes it";
    return vm;
  }
  if (sys::FileLock::is_held(places.run_lock) || sys::FileLock::is_held(places.op_lock)) return vm;
  if (is_being_removed(vm)) return vm;
  if (vm.state == VmState::removing) {
    vm.reason = "interrupted; the next command finishes it";
  } else if (vm.state == VmState::starting || vm.state == VmState::stopping) {
    // Its monitor may have ended between the reading of the row and the look at its lock; then the
    // row that the caller read is merely old, and saying so is still right.
    vm.reason = "interrupted; the next command cleans up";
  } else if (!sys::is_alive(vm.vmm_process())) {
    vm.state = VmState::failed;
    vm.reason = unobserved;
    if (vm.run) vm.run->vmm = {};
  } else {
    vm.reason = "its monitor died; the next command starts another";
  }
  return vm;
}

bool is_gone(const Dirs& dirs, const std::string& tag, const Vm& vm) {
  if (!vm.remove_when_stopped || sys::is_alive(vm.creator)) return false;
  if (sys::is_alive(vm.vmm_process())) return false;
  Places places = places_of(dirs, tag, vm);
  return !sys::FileLock::is_held(places.run_lock) && !sys::FileLock::is_held(places.op_lock);
}

} // namespace banger::ops

#include "ops/reconcile.h"

#include <csignal>

#include "core/error.h"
#include "ops/image_from_bundle.h"
#include "ops/places.h"
#include "ops/vm_remove.h"
#include "ops/vm_spawn.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/proc.h"
#include "sys/socket.h"

namespace banger::ops {

namespace {

constexpr const char* unobserved = "unobserved";

// Ends every process that works in the VM's runtime directory: that directory is made by us for
// this VM alone, so whatever has it as its working directory is its VMM, recorded or not (a monitor
// may have died between starting it and writing its identity down).
void end_vmm(const Vm& vm, const Places& places) {
  auto end = [](const ProcessId& id) {
    auto fd = sys::open_process(id);
    if (!fd) return;
    sys::send_signal(id, SIGKILL);
    if (!sys::wait_readable(fd->get(), Millis(10'000)))
      throw failed("cannot end process {}: it does not die", id.pid);
  };
  end(vm.vmm_process);
  if (!sys::exists(places.runtime)) return;
  std::string dir = sys::real_path(places.runtime);
  for (const sys::ProcessInfo& p : sys::list_processes())
    if (p.cwd == dir) end(p.id);
}

Vm settle(Context& ctx, const Vm& vm, const Places& places, VmState state, const char* reason) {
  end_vmm(vm, places);
  sys::remove_tree(places.runtime);
  Vm now = vm;
  ctx.state.transaction([&] {
    now = ctx.state.change_vm(vm.id, [&](Vm& v) {
      v.state = state;
      v.reason = reason;
      v.stopped = wall_now();
      v.vmm_process = {};
      v.monitor_process = {};
      v.runtime_dir.clear();
      v.vmm_api_socket.clear();
    });
    record(ctx, vm.name, "vm.reconciled",
           {{"from", name_of(vm.state)}, {"to", name_of(state)}, {"reason", reason}});
  });
  return now;
}

bool needs_look(const Vm& vm) {
  return is_live(vm.state) || vm.state == VmState::creating || vm.state == VmState::removing;
}

} // namespace

std::optional<Vm> reconcile_locked(Context& ctx, const Vm& vm) {
  Places places = places_of(ctx.dirs, ctx.state.tag(), vm);
  if (sys::FileLock::is_held(places.run_lock)) return vm; // its monitor is there
  switch (vm.state) {
  case VmState::stopped:
  case VmState::failed:
    return vm;
  case VmState::creating:
  case VmState::removing:
    end_vmm(vm, places);
    sys::remove_tree(places.runtime);
    remove_vm_rest(ctx, vm);
    return {};
  case VmState::starting:
    return settle(ctx, vm, places, VmState::stopped, "the start was interrupted");
  case VmState::stopping:
    return settle(ctx, vm, places, VmState::stopped, "the stop was interrupted");
  case VmState::running:
  case VmState::paused:
    break;
  }
  if (!sys::is_alive(vm.vmm_process)) return settle(ctx, vm, places, VmState::failed, unobserved);
  adopt_vm(ctx, vm);
  return ctx.state.find_vm_by_id(vm.id);
}

void reconcile(Context& ctx) {
  clean_imports(ctx);
  for (const Vm& listed : ctx.state.vms()) {
    if (!needs_look(listed)) continue;
    Places places = places_of(ctx.dirs, ctx.state.tag(), listed);
    if (sys::FileLock::is_held(places.run_lock)) continue;
    if (listed.state == VmState::creating && sys::is_alive(listed.creator)) continue;
    std::optional<sys::FileLock> lock;
    if (sys::exists(places.dir)) {
      lock = sys::FileLock::try_take(places.op_lock);
      if (!lock) continue; // a verb is at work on it
    }
    // What the list said may have changed until the lock was ours.
    auto vm = ctx.state.find_vm_by_id(listed.id);
    if (!vm || !needs_look(*vm)) continue;
    if (vm->state == VmState::creating && sys::is_alive(vm->creator)) continue;
    try {
      reconcile_locked(ctx, *vm);
    } catch (const Error& e) {
      // Another VM's trouble must not stop this verb.
      ctx.log.warn("reconcile.failed",
                   {{"vm", std::string_view(vm->name)}, {"error", std::string_view(e.message())}});
    }
  }
}

Vm as_seen(const Dirs& dirs, const std::string& tag, Vm vm) {
  if (!needs_look(vm)) return vm;
  Places places = places_of(dirs, tag, vm);
  if (vm.state == VmState::creating) {
    if (!sys::is_alive(vm.creator)) vm.reason = "interrupted; the next command removes it";
    return vm;
  }
  if (sys::FileLock::is_held(places.run_lock) || sys::FileLock::is_held(places.op_lock)) return vm;
  if (vm.state == VmState::removing) {
    vm.reason = "interrupted; the next command finishes it";
  } else if (vm.state == VmState::starting || vm.state == VmState::stopping) {
    // Its monitor may have ended between the reading of the row and the look at its lock; then the
    // row that the caller read is merely old, and saying so is still right.
    vm.reason = "interrupted; the next command cleans up";
  } else if (!sys::is_alive(vm.vmm_process)) {
    vm.state = VmState::failed;
    vm.reason = unobserved;
    vm.vmm_process = {};
  } else {
    vm.reason = "its monitor died; the next command starts another";
  }
  return vm;
}

} // namespace banger::ops

#include "ops/recover/reconcile.h"

#include <cerrno>
#include <csignal>
#include <functional>

#include "core/error.h"
#include "ops/common/places.h"
#include "ops/image/store.h"
#include "ops/net/private_net.h"
#include "ops/vm/publish.h"
#include "ops/vm/remove.h"
#include "ops/vm/reset.h"
#include "ops/vm/spawn.h"
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
  PrivateNet(ctx, ctx.dirs.libexec).leave(vm);
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
    settle_reset(places, vm);
    return vm;
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

namespace {

// Whether who makes or removes it lives.
bool is_at_work(const Vm& vm) {
  return (vm.state == VmState::creating && sys::is_alive(vm.creator)) || is_being_removed(vm);
}

std::string what_was_found(const Vm& vm) {
  if (vm.state != VmState::running && vm.state != VmState::paused)
    return fmt::format("{}, interrupted", name_of(vm.state));
  return fmt::format("{}, without its {}", name_of(vm.state),
                     sys::is_alive(vm.vmm_process) ? "monitor" : "VMM");
}

std::string what_was_done(const std::optional<Vm>& now) {
  if (!now) return "removed what was left";
  if (is_live(now->state)) return "given a new monitor";
  return fmt::format("released what it had; it is {}", name_of(now->state));
}

} // namespace

std::vector<Reconciled> reconcile(Context& ctx) {
  std::vector<Reconciled> all;
  clean_imports(ctx);
  for (const Vm& listed : ctx.state.busy_vms()) {
    Places places = places_of(ctx.dirs, ctx.state.tag(), listed);
    if (sys::FileLock::is_held(places.run_lock)) continue;
    if (is_at_work(listed)) continue;
    std::optional<sys::FileLock> lock;
    try {
      if (sys::exists(places.dir)) {
        lock = sys::FileLock::try_take(places.op_lock);
        if (!lock) continue; // a verb is at work on it
      }
    } catch (const Error& e) {
      if (e.error_number() != ENOENT) throw;
      continue; // it has just been removed
    }
    // What the list said may have changed until the lock was ours.
    auto vm = ctx.state.find_vm_by_id(listed.id);
    if (!vm || !needs_look(*vm) || is_at_work(*vm)) continue;
    if (sys::FileLock::is_held(places.run_lock)) continue;
    Reconciled r{vm->name, vm->id, what_was_found(*vm), {}, {}, {}};
    try {
      r.vm = reconcile_locked(ctx, *vm);
      r.done = what_was_done(r.vm);
    } catch (const Error& e) {
      // Another VM's trouble must not stop this verb.
      ctx.log.warn("reconcile.failed",
                   {{"vm", std::string_view(vm->name)}, {"error", std::string_view(e.message())}});
      r.vm = vm;
      r.error = e;
    }
    all.push_back(std::move(r));
  }
  auto settle_rest = [&](const std::function<void()>& what) {
    try {
      what();
    } catch (const Error& e) {
      ctx.log.warn("reconcile.failed", {{"error", std::string_view(e.message())}});
    }
  };
  settle_rest([&] { settle_ports(ctx); });
  settle_rest([&] { PrivateNet(ctx, ctx.dirs.libexec).tidy(); });
  return all;
}

Vm as_seen(const Dirs& dirs, const std::string& tag, Vm vm) {
  if (!needs_look(vm)) return vm;
  Places places = places_of(dirs, tag, vm);
  if (vm.state == VmState::creating) {
    if (!sys::is_alive(vm.creator)) vm.reason = "interrupted; the next command removes it";
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

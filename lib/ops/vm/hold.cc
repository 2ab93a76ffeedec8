#include "ops/vm/hold.h"

#include <cerrno>

#include "core/error.h"
#include "model/words.h"
#include "ops/common/places.h"
#include "ops/release/release.h"
#include "ops/release/removal.h"
#include "ops/vm/settle.h"
#include "sys/file.h"

namespace banger::ops {

namespace {

Error gone(const Vm& vm, std::string_view doing) {
  return not_found("cannot {} '{}': it is gone", doing, vm.name).subject(vm.name);
}

// Longer than a monitor takes to remove a VM of --rm.
constexpr Millis time_to_end{40'000};

// A monitor that has said that it ended is about to end itself, unless it was stopped (SIGSTOP).
void await_end_of_monitor(Context& ctx, const Vm& vm, const Places& places,
                          std::string_view doing) {
  if (!sys::FileLock::is_held(places.run_lock)) return;
  ctx.stage(vm.name, "waiting for its monitor to end");
  if (sys::Line(places.run_lock).stand(steady_now() + time_to_end)) return;
  throw timed_out("cannot {} '{}': it has ended, and its monitor does not end", doing, vm.name)
      .subject(vm.name)
      .hint(fmt::format("pgrep -f 'banger-monitor {}' finds that process", vm.name));
}

} // namespace

sys::FileLock lock_vm(Context& ctx, const Vm& vm, std::string_view doing) {
  Places places = places_of(ctx.dirs, ctx.state.tag(), vm);
  const std::string& path = places.op_lock;
  mend_locks(places);
  try {
    if (auto free = sys::FileLock::try_take(path)) return std::move(*free);
    ctx.stage(vm.name, "waiting for another command on it");
    return sys::FileLock::take(path);
  } catch (const Error& e) {
    // The lock goes with the VM's directory, which goes before its row.
    if (e.error_number() != ENOENT && e.code() != Code::not_found) throw;
    auto now = ctx.state.find_vm_by_id(vm.id);
    if (!now || is_being_removed(*now)) throw gone(vm, doing);
    if (is_live(now->state)) throw; // its processes have locks yet, of files without a name
  }
  // The directory was removed by hand. The VM does not run, and its row can still be changed.
  sys::make_dirs(places.dir);
  auto lock = sys::FileLock::take(path);
  if (ctx.state.find_vm_by_id(vm.id)) return lock;
  sys::remove_tree(places.dir);
  throw gone(vm, doing);
}

HeldVm hold_vm(Context& ctx, const std::string& ref, std::string_view doing) {
  Vm vm = ctx.state.get_vm(ref);
  Places places = places_of(ctx.dirs, ctx.state.tag(), vm);
  auto lock = lock_vm(ctx, vm, doing);
  // The row may have changed before the lock was ours.
  auto now = ctx.state.find_vm_by_id(vm.id);
  if (now && !is_live(now->state) && sys::exists(places.run_lock)) {
    await_end_of_monitor(ctx, *now, places, doing);
    now = ctx.state.find_vm_by_id(vm.id);
  }
  if (now) now = reconcile_locked(ctx, *now);
  if (!now) throw gone(vm, doing);
  return {std::move(*now), std::move(lock)};
}

HeldVm hold_stopped_vm(Context& ctx, const std::string& ref, std::string_view doing) {
  HeldVm held = hold_vm(ctx, ref, doing);
  require_stopped(held.vm, doing);
  return held;
}

void require_stopped(const Vm& vm, std::string_view doing) {
  if (vm.state == VmState::stopped || vm.state == VmState::failed) return;
  std::string why = vm.state == VmState::paused && !vm.reason.empty() ? ": " + vm.reason : "";
  std::string stop = fmt::format("banger vm stop {} stops it", vm.name);
  throw conflict("cannot {} '{}': {}{}", doing, vm.name, is_now(vm.state), why)
      .subject(vm.name)
      .hint(vm.reason == paused_on_request
                ? fmt::format("banger vm resume {} lets it go on; {}", vm.name, stop)
                : stop);
}

} // namespace banger::ops

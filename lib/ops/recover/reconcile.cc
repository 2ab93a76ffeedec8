#include "ops/recover/reconcile.h"

#include <cerrno>
#include <functional>

#include "core/error.h"
#include "ops/common/places.h"
#include "ops/image/store.h"
#include "ops/net/open_place.h"
#include "ops/release/kept_logs.h"
#include "ops/release/mapping.h"
#include "ops/release/release.h"
#include "ops/release/removal.h"
#include "ops/release/seen.h"
#include "ops/ssh/config.h"
#include "ops/vm/publish.h"
#include "ops/vm/settle.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

// Whether the process that makes, runs or removes the VM lives, and will see to it.
bool is_at_work(const Vm& vm) {
  switch (vm.state) {
  case VmState::creating:
    return sys::is_alive(vm.creator);
  case VmState::stopped:
  case VmState::failed:
    return !is_abandoned(vm);
  default:
    return is_being_removed(vm);
  }
}

std::string what_was_found(const Vm& vm) {
  if (vm.state != VmState::running && vm.state != VmState::paused)
    return fmt::format("{}, interrupted", name_of(vm.state));
  return fmt::format("{}, without its {}", name_of(vm.state),
                     sys::is_alive(vm.vmm_process()) ? "monitor" : "VMM");
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
    try {
      mend_locks(places);
      if (sys::FileLock::is_held(places.run_lock)) continue;
    } catch (const Error& e) {
      ctx.log.warn("reconcile.failed", e, {{"vm", std::string_view(listed.name)}});
      continue;
    }
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
    // The row may have changed between the list and the lock.
    auto vm = ctx.state.find_vm_by_id(listed.id);
    if (!vm || !needs_look(*vm) || is_at_work(*vm)) continue;
    if (sys::FileLock::is_held(places.run_lock)) continue;
    Reconciled r{vm->name, vm->id, what_was_found(*vm), {}, {}, {}};
    try {
      r.vm = reconcile_locked(ctx, *vm);
      r.done = what_was_done(r.vm);
    } catch (const Error& e) {
      // Another VM's trouble must not stop this verb.
      ctx.log.warn("reconcile.failed", e, {{"vm", std::string_view(vm->name)}});
      r.vm = vm;
      r.error = e;
    }
    all.push_back(std::move(r));
  }
  auto settle_rest = [&](const std::function<void()>& what) {
    try {
      what();
    } catch (const Error& e) {
      ctx.log.warn("reconcile.failed", e);
    }
  };
  settle_rest([&] { ctx.state.dismiss_older_monitors(); });
  settle_rest([&] { settle_zone(ctx); });
  settle_rest([&] { prune_kept_logs(ctx); });
  settle_rest([&] { settle_ports(ctx); });
  settle_rest([&] { tidy_mappings(ctx); });
  for (const auto& place : all_places(ctx)) settle_rest([&] { place->tidy(); });
  return all;
}

} // namespace banger::ops

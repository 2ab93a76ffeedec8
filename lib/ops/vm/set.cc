#include "ops/vm/set.h"

#include <optional>
#include <tuple>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "disk/ext4.h"
#include "model/words.h"
#include "ops/common/places.h"
#include "ops/link/client.h"
#include "ops/vm/create.h"
#include "ops/vm/disks.h"
#include "ops/vm/hold.h"
#include "ops/vm/lease.h"
#include "ops/vm/preflight.h"

namespace banger::ops {

namespace {

template <typename T>
bool differs(const std::optional<T>& wanted, T has) {
  return wanted && *wanted != has;
}

bool needs_stopped(const Vm& vm, const VmChange& change) {
  auto resized = [](const std::optional<int64_t>& wanted, int64_t has) {
    return wanted && disk::whole_blocks(*wanted) != has;
  };
  return differs(change.cpus, vm.cpus) || differs(change.memory, vm.memory) ||
         differs(change.net, vm.net_mode) || resized(change.disk, vm.root_size) ||
         resized(change.work_disk, vm.work_size);
}

void require_changeable(const Vm& vm) {
  if (vm.state == VmState::stopped || vm.state == VmState::failed) return;
  throw conflict("cannot change '{}': {}", vm.name, is_now(vm.state))
      .subject(vm.name)
      .hint(fmt::format("banger vm stop {}; only labels change on a VM that runs", vm.name));
}

constexpr Millis time_to_limit{20'000}; // longer than the monitor's patience with its VMM

// The limits that the VM is to have.
RateLimits wanted_limits(const Vm& vm, const VmChange& change) {
  RateLimits limits = changed_by(vm.limits, change.limits);
  require_place_for(limits, vm.work_size > 0, vm.name);
  return limits;
}

// Of a VM that runs: its monitor alone speaks to the VMM, and writes the row when that is done.
void limit_now(Context& ctx, const Vm& vm, const RateLimits& limits) {
  try {
    ask_monitor(places_of(ctx.dirs, ctx.state.tag(), vm), vm,
                {"limit", Millis(0), to_words(limits)}, {time_to_limit},
                [&](const Report& r) { ctx.stage(vm.name, r.text); });
  } catch (Error& e) {
    throw std::move(e.within(fmt::format("cannot limit '{}'", vm.name)).default_subject(vm.name));
  }
}

// A VMM that was asked for by name must be able to run the changed VM.
void require_fit_for_vmm(Vm vm, const VmChange& change) {
  vm.net_mode = change.net.value_or(vm.net_mode);
  vm.cpus = change.cpus.value_or(vm.cpus);
  vm.limits = wanted_limits(vm, change);
  require_fit(fmt::format("cannot change '{}'", vm.name), vm.name, wish_of(vm));
}

bool is_same(const Vm& a, const Vm& b) {
  auto all = [](const Vm& v) {
    return std::tie(v.cpus, v.memory, v.root_size, v.work_size, v.net_mode, v.limits, v.labels);
  };
  return all(a) == all(b);
}

Reached store(Context& ctx, const Vm& vm, const VmChange& change) {
  Reached r{vm, false};
  ctx.state.transaction([&] {
    Vm before = ctx.state.get_vm(vm.id);
    r.vm = ctx.state.change_vm(vm.id, [&](Vm& v) {
      if (change.cpus) v.cpus = *change.cpus;
      if (change.memory) v.memory = *change.memory;
      if (differs(change.net, v.net_mode)) move_to(ctx, *change.net, v);
      v.limits = changed_by(v.limits, change.limits);
      for (const std::string& key : change.unlabel) v.labels.erase(key);
      for (const auto& [key, value] : change.labels) v.labels[key] = value;
    });
    r.changed = !is_same(before, r.vm);
    if (r.changed)
      record(ctx, r.vm.name, "vm.changed",
             {{"cpus", r.vm.cpus},
              {"memory", r.vm.memory},
              {"net", name_of(r.vm.net_mode)},
              {"limits", to_text(r.vm.limits)},
              {"labels", Json(r.vm.labels)}});
  });
  return r;
}

} // namespace

Reached set_vm(Context& ctx, const std::string& ref, const VmChange& change) {
  Vm vm = ctx.state.get_vm(ref);
  check_machine(change.cpus.value_or(vm.cpus), change.memory.value_or(vm.memory));
  if (!change.needs_stopped() && change.limits.empty()) return store(ctx, vm, change);
  HeldVm held = hold_vm(ctx, vm.id, "change");
  if (needs_stopped(held.vm, change)) require_changeable(held.vm);
  if (differs(change.net, held.vm.net_mode)) require_mode(ctx, held.vm, *change.net);
  RateLimits limits = wanted_limits(held.vm, change);
  bool limited = limits != held.vm.limits;
  if (needs_stopped(held.vm, change) || limited) require_fit_for_vmm(held.vm, change);
  Vm before = held.vm;
  if (limited && is_live(held.vm.state)) limit_now(ctx, held.vm, limits);
  if (change.disk || change.work_disk) grow_disks(ctx, held, change.disk, change.work_disk);
  Reached r = store(ctx, held.vm, change);
  r.changed = r.changed || !is_same(before, r.vm);
  return r;
}

} // namespace banger::ops

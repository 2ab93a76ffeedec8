#include "ops/vm/set.h"

#include <optional>
#include <tuple>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "disk/ext4.h"
#include "model/words.h"
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

// A VMM that was asked for by name must be able to run the changed VM.
void require_fit_for_vmm(Vm vm, const VmChange& change) {
  vm.net_mode = change.net.value_or(vm.net_mode);
  vm.cpus = change.cpus.value_or(vm.cpus);
  require_fit(fmt::format("cannot change '{}'", vm.name), vm.name, wish_of(vm));
}

bool is_same(const Vm& a, const Vm& b) {
  auto all = [](const Vm& v) {
    return std::tie(v.cpus, v.memory, v.root_size, v.work_size, v.net_mode, v.labels);
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
      for (const std::string& key : change.unlabel) v.labels.erase(key);
      for (const auto& [key, value] : change.labels) v.labels[key] = value;
    });
    r.changed = !is_same(before, r.vm);
    if (r.changed)
      record(ctx, r.vm.name, "vm.changed",
             {{"cpus", r.vm.cpus},
              {"memory", r.vm.memory},
              {"net", name_of(r.vm.net_mode)},
              {"labels", Json(r.vm.labels)}});
  });
  return r;
}

} // namespace

Reached set_vm(Context& ctx, const std::string& ref, const VmChange& change) {
  Vm vm = ctx.state.get_vm(ref);
  check_machine(change.cpus.value_or(vm.cpus), change.memory.value_or(vm.memory));
  if (!change.needs_stopped()) return store(ctx, vm, change);
  HeldVm held = hold_vm(ctx, vm.id, "change");
  if (needs_stopped(held.vm, change)) require_changeable(held.vm);
  if (differs(change.net, held.vm.net_mode)) require_mode(ctx, held.vm, *change.net);
  if (needs_stopped(held.vm, change)) require_fit_for_vmm(held.vm, change);
  Vm before = held.vm;
  if (change.disk || change.work_disk) grow_disks(ctx, held, change.disk, change.work_disk);
  Reached r = store(ctx, held.vm, change);
  r.changed = r.changed || !is_same(before, r.vm);
  return r;
}

} // namespace banger::ops

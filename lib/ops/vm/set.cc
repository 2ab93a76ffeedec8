#include "ops/vm/set.h"

#include "core/error.h"
#include "ops/vm/create.h"
#include "ops/vm/disks.h"
#include "ops/vm/hold.h"

namespace banger::ops {

namespace {

void require_stopped(const Vm& vm) {
  if (vm.state == VmState::stopped || vm.state == VmState::failed) return;
  throw conflict("cannot change '{}': it is {}", vm.name, name_of(vm.state))
      .subject(vm.name)
      .hint(fmt::format("banger vm stop {}; only labels change on a VM that runs", vm.name));
}

Vm store(Context& ctx, const Vm& vm, const VmChange& change) {
  Vm now = vm;
  ctx.state.transaction([&] {
    now = ctx.state.change_vm(vm.id, [&](Vm& v) {
      if (change.cpus) v.cpus = *change.cpus;
      if (change.memory) v.memory = *change.memory;
      for (const std::string& key : change.unlabel) v.labels.erase(key);
      for (const auto& [key, value] : change.labels) v.labels[key] = value;
    });
    record(ctx, now.name, "vm.changed",
           {{"cpus", now.cpus}, {"memory", now.memory}, {"labels", Json(now.labels)}});
  });
  return now;
}

} // namespace

Vm set_vm(Context& ctx, const std::string& ref, const VmChange& change) {
  Vm vm = ctx.state.get_vm(ref);
  check_machine(change.cpus.value_or(vm.cpus), change.memory.value_or(vm.memory));
  if (!change.needs_stopped()) return store(ctx, vm, change);
  HeldVm held = hold_vm(ctx, vm.id, "change");
  require_stopped(held.vm);
  if (change.disk || change.work_disk) grow_disks(ctx, held, change.disk, change.work_disk);
  return store(ctx, held.vm, change);
}

} // namespace banger::ops

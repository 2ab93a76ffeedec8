#include "ops/release/release.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "ops/net/open_place.h"
#include "ops/release/mapping.h"
#include "ops/release/snapshots.h"
#include "sys/cells.h"
#include "sys/file.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {
constexpr Millis time_to_die{10'000};
}

void end_vmm(const Vm& vm, const Places& places) {
  // Before its VMM: a cell that is ending does not say any more whose it is.
  sys::end_cell(places.runtime, time_to_die);
  sys::end_process(vm.vmm_process(), time_to_die);
  sys::end_all_in(places.runtime, {}, time_to_die);
}

void mend_locks(const Places& places) {
  auto dir = sys::find_info(places.dir);
  if (!dir) return;
  if (!dir->is_dir) {
    sys::remove_file(places.dir);
    return;
  }
  if ((dir->mode & 0700) != 0700) sys::set_mode(places.dir, 0700);
  for (const std::string& lock : {places.op_lock, places.run_lock, snapshot_lock(places)}) {
    auto info = sys::find_info(lock);
    if (!info) continue;
    if (!info->is_file)
      sys::remove_tree(lock);
    else if ((info->mode & 0600) != 0600)
      sys::set_mode(lock, 0600);
  }
}

void end_run(Vm& row, VmState state, const std::string& reason) {
  row.state = state;
  row.reason = reason;
  row.stopped = wall_now();
  row.run.reset();
}

Vm settle_vm(Context& ctx, const Vm& vm, const Places& places, VmState state, const char* reason) {
  end_vmm(vm, places);
  unmap_root(ctx, vm);
  open_place(ctx, vm.net_mode)->leave(vm);
  sys::remove_tree(places.runtime);
  Vm now = vm;
  ctx.state.transaction([&] {
    now = ctx.state.change_vm(vm.id, [&](Vm& v) { end_run(v, state, reason); });
    record(ctx, vm.name, "vm.reconciled",
           {{"from", name_of(vm.state)}, {"to", name_of(state)}, {"reason", reason}});
  });
  return now;
}

} // namespace banger::ops

#include "ops/release/removal.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "guest/identity/known_hosts.h"
#include "ops/net/open_place.h"
#include "ops/release/kept_logs.h"
#include "ops/release/mapping.h"
#include "ops/ssh/config.h"
#include "sys/file.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

// One process removes a VM: its lock goes with its directory, so the row tells which process that
// is. Gives the row as it is then; none where another is at it, or it is gone.
std::optional<Vm> claim_removal(Context& ctx, const std::string& id) {
  std::optional<Vm> claimed;
  ctx.state.transaction([&] {
    claimed.reset(); // this body may run again
    auto now = ctx.state.find_vm_by_id(id);
    if (!now || (is_being_removed(*now) && now->creator != sys::this_process())) return;
    claimed = ctx.state.change_vm(id, [](Vm& v) {
      v.state = VmState::removing;
      v.creator = sys::this_process();
    });
  });
  return claimed;
}

} // namespace

void remove_disks(const Places& places) {
  for (const std::string& file : {own_root(places), places.work, places.console, places.vmm_log})
    if (!file.empty()) sys::remove_file(file);
}

bool is_being_removed(const Vm& vm) {
  return vm.state == VmState::removing && sys::is_alive(vm.creator);
}

bool is_abandoned(const Vm& vm) {
  return vm.remove_when_stopped && (vm.state == VmState::stopped || vm.state == VmState::failed) &&
         !sys::is_alive(vm.creator);
}

void remove_vm_rest(Context& ctx, const Vm& vm) {
  auto row = claim_removal(ctx, vm.id); // the caller's may be older than a failure
  if (!row) return;
  Places places = places_of(ctx.dirs, ctx.state.tag(), vm);
  if (row->remove_when_stopped && row->fault) keep_logs(ctx, *row, places);
  unmap_root(ctx, *row); // else the room of its file is taken still
  remove_disks(places);  // first: on a full disk the rest needs the room
  open_place(ctx, vm.net_mode)->leave(vm);
  sys::remove_tree(places.runtime);
  guest::remove_known_host(ctx.dirs.keys(), vm.reach); // its name may have been another
  // Out of everybody's way first: a process that waits for its lock must not make files in it anew.
  std::string aside = ctx.dirs.state + "/removed";
  if (sys::exists(places.dir)) {
    sys::make_dirs(aside);
    sys::rename(places.dir, aside + "/" + vm.id);
  }
  sys::remove_tree(aside + "/" + vm.id);
  ctx.state.transaction([&] {
    ctx.state.remove_vm(vm.id);
    record(ctx, vm.name, "vm.removed", {{"id", vm.id}});
  });
  refresh_ssh_config(ctx);
}

} // namespace banger::ops

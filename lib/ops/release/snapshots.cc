#include "ops/release/snapshots.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"
#include "model/name.h"
#include "model/words.h"
#include "ops/net/bridge.h"
#include "ops/net/lease.h"
#include "ops/net/nature.h"
#include "ops/net/open_place.h"
#include "sys/file.h"
#include "sys/lock.h"

namespace banger::ops {

namespace {

constexpr std::string_view prefix = "restored-";

// What new_id() gives: nothing else that lies there was made by banger.
bool is_id(std::string_view name) { return name.size() == 12 && is_id_prefix(name); }

std::string all_snapshots(const Places& places) { return places.dir + "/snapshots"; }

} // namespace

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string snapshot_dir(const Places& places, const std::string& snapshot_id) {
  return fmt::format("{}/{}", all_snapshots(places), snapshot_id);
}

std::string half_made_snapshot(const Places& places) { return places.dir + "/.snapshot.tmp"; }

std::string memory_dir(const Places& places) { return places.dir + "/saving"; }

void clear_memory_dir(const Places& places) {
  for (const std::string& name : sys::list_dir(memory_dir(places)))
    sys::remove_tree(fmt::format("{}/{}", memory_dir(places), name));
}

std::string snapshot_lock(const Places& places) { return places.dir + "/snapshot.lock"; }

int64_t used_by_snapshot(const std::string& dir) {
  int64_t used = 0;
  for (const std::string& name : sys::list_dir(dir))
    if (auto info = sys::find_link_info(fmt::format("{}/{}", dir, name))) used += info->allocated;
  return used;
}

std::vector<std::string> own_disks(const Places& places) {
  std::vector<std::string> disks{own_root(places)};
  if (!places.work.empty()) disks.push_back(places.work);
  return disks;
}

std::string before_restore_dir(const Places& places) { return places.dir + "/before"; }

std::string restored_disk(const std::string& disk) {
  size_t name = disk.rfind('/') + 1;
  return fmt::format("{}{}{}", disk.substr(0, name), prefix, disk.substr(name));
}

std::vector<std::string> unknown_snapshots(Reader& in, const std::string& vm_dir,
                                           const std::string& vm_id) {
  std::vector<std::string> unknown;
  std::string place = vm_dir + "/snapshots";
  // A link leads to where others have theirs.
  auto info = sys::find_link_info(place);
  if (!info || !info->is_dir) return unknown;
  auto names = sys::list_dir(place);
  auto known = in.state.snapshots(vm_id); // after the look: what was there had its row before
  for (const std::string& name : names)
    if (is_id(name) && std::ranges::find(known, name, &Snapshot::id) == known.end())
      unknown.push_back(fmt::format("{}/{}", place, name));
  return unknown;
}

void settle_snapshots(Context& ctx, const Places& places, const Vm& vm) {
  // Nobody begins to make one: that takes op.lock, too.
  if (sys::FileLock::is_held(snapshot_lock(places))) return;
  try {
    sys::remove_tree(half_made_snapshot(places));
    clear_memory_dir(places);
    for (const std::string& dir : unknown_snapshots(ctx, places.dir, vm.id)) sys::remove_tree(dir);
    if (sys::exists(before_restore_dir(places)) && !ctx.state.before_restore(vm.id))
      sys::remove_tree(before_restore_dir(places));
  } catch (const Error& e) {
    // It is room that is lost, and no reason why a VM could not be stopped or removed.
    ctx.log.warn("snapshots.settle", e);
  }
}

namespace {

bool has_network(const Vm& vm, const disk::SavedMachine& m) {
  return vm.net_mode == m.net_mode && vm.address == m.address && vm.gateway == m.gateway &&
         vm.prefix == m.prefix && vm.mac == m.mac;
}

// Its address may be another VM's by now: then it gets one that is free, as a guest that boots
// takes any.
void give_network_back(Context& ctx, const disk::SavedMachine& machine, Vm& vm) {
  try {
    return give_network(ctx, machine, vm);
  } catch (const Error& e) {
    ctx.log.warn("vm.restore.address", e);
  }
  Vm other = vm;
  try {
    open_place(ctx, other.net_mode)->lease("restore", std::nullopt, other);
    settle_reach(ctx, other);
    vm = other;
  } catch (const Error& e) { // it keeps the one that it has
    ctx.log.warn("vm.restore.address", e);
  }
}

} // namespace

void give_network(Context& ctx, const disk::SavedMachine& m, Vm& vm) {
  if (has_network(vm, m)) return;
  vm.net_mode = m.net_mode;
  if (nature_of(m.net_mode).is_host) require_bridge_subnet(ctx, m.address, m.prefix);
  bool shared = nature_of(m.net_mode).shared;
  open_place(ctx, m.net_mode)
      ->lease("restore", shared ? std::optional(m.address) : std::nullopt, vm);
  settle_reach(ctx, vm);
  if (!has_network(vm, m))
    throw conflict("it had {}/{} on '{}', whose subnet is another one now", m.address, m.prefix,
                   name_of(m.net_mode));
}

void take_sizes(const disk::SavedMachine& machine, Vm& vm) {
  vm.cpus = machine.cpus;
  vm.memory = machine.memory;
  vm.root_size = machine.root_size;
  vm.work_size = machine.work_size;
}

Vm settle_restore(Context& ctx, const Places& places, const Vm& vm) {
  if (!sys::find_link_info(all_snapshots(places))) return vm;
  for (const std::string& name : sys::list_dir(places.dir))
    if (name.starts_with(prefix)) sys::remove_file(fmt::format("{}/{}", places.dir, name));
  auto before = ctx.state.before_restore(vm.id);
  if (!before) return vm;
  std::string kept = before_restore_dir(places);
  for (const std::string& disk : own_disks(places)) {
    std::string own = fmt::format("{}/{}", kept, file_name(disk));
    if (sys::exists(own)) sys::rename(own, disk);
  }
  sys::sync_dir(places.dir);
  std::optional<disk::SavedMachine> machine;
  try {
    machine = disk::read_manifest(kept).machine;
  } catch (const Error& e) {
    ctx.log.error("vm.restore.undo", e); // its disks are what matters
  }
  auto image = ctx.state.find_image(before->image_id);
  Vm now;
  ctx.state.transaction([&] {
    now = ctx.state.change_vm(vm.id, [&](Vm& v) {
      v.image_id = before->image_id;
      if (image) v.image_name = image->name;
      if (!machine) return;
      give_network_back(ctx, *machine, v);
      take_sizes(*machine, v);
    });
    ctx.state.remove_snapshot(before->id);
    record(ctx, vm.name, "vm.restore_undone");
  });
  sys::remove_tree(kept);
  return now;
}

} // namespace banger::ops

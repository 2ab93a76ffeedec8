#include "ops/release/snapshots.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"
#include "model/name.h"
#include "sys/file.h"
#include "sys/lock.h"

namespace banger::ops {

namespace {

constexpr std::string_view prefix = "restored-";

// What new_id() gives: nothing else that lies there was made by banger.
bool is_id(std::string_view name) { return name.size() == 12 && is_id_prefix(name); }

std::string all_snapshots(const Places& places) { return places.dir + "/snapshots"; }

} // namespace

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
  } catch (const Error& e) {
    // It is room that is lost, and no reason why a VM could not be stopped or removed.
    ctx.log.warn("snapshots.settle", e);
  }
}

void settle_restore(Context& ctx, const Places& places, const Vm& vm) {
  if (!sys::exists(all_snapshots(places))) return;
  auto known = ctx.state.snapshots(vm.id);
  bool is_decided = std::ranges::any_of(known, &Snapshot::restoring);
  for (const std::string& name : sys::list_dir(places.dir)) {
    if (!name.starts_with(prefix)) continue;
    std::string path = fmt::format("{}/{}", places.dir, name);
    if (is_decided)
      sys::rename(path, fmt::format("{}/{}", places.dir, name.substr(prefix.size())));
    else
      sys::remove_file(path);
  }
  if (!is_decided) return;
  sys::sync_dir(places.dir);
  ctx.state.set_restoring(vm.id, "");
}

} // namespace banger::ops

#include "ops/release/snapshots.h"

#include <algorithm>

#include <fmt/format.h>

#include "sys/file.h"
#include "sys/lock.h"

namespace banger::ops {

namespace {

constexpr std::string_view prefix = "restored-";

std::string all_snapshots(const Places& places) { return places.dir + "/snapshots"; }

} // namespace

std::string snapshot_dir(const Places& places, const std::string& snapshot_id) {
  return fmt::format("{}/{}", all_snapshots(places), snapshot_id);
}

std::string half_made_snapshot(const Places& places) { return places.dir + "/.snapshot.tmp"; }

std::string memory_dir(const Places& places) { return places.dir + "/saving"; }

std::string snapshot_lock(const Places& places) { return places.dir + "/snapshot.lock"; }

std::string restored_disk(const std::string& disk) {
  size_t name = disk.rfind('/') + 1;
  return fmt::format("{}{}{}", disk.substr(0, name), prefix, disk.substr(name));
}

void settle_snapshots(Context& ctx, const Places& places, const Vm& vm) {
  // Nobody begins to make one: that takes op.lock, too.
  if (sys::FileLock::is_held(snapshot_lock(places))) return;
  if (sys::exists(half_made_snapshot(places))) sys::remove_tree(half_made_snapshot(places));
  for (const std::string& name : sys::list_dir(memory_dir(places)))
    sys::remove_tree(fmt::format("{}/{}", memory_dir(places), name));
  auto dirs = sys::list_dir(all_snapshots(places));
  if (dirs.empty()) return;
  auto known = ctx.state.snapshots(vm.id);
  for (const std::string& dir : dirs)
    if (std::ranges::find(known, dir, &Snapshot::id) == known.end())
      sys::remove_tree(snapshot_dir(places, dir));
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

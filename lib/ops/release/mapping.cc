#include "ops/release/mapping.h"

#include <set>

#include "core/error.h"
#include "core/text.h"
#include "helper/client.h"
#include "ops/common/rights.h"
#include "sys/lock.h"

namespace banger::ops {

namespace {

std::optional<HostObject> find_mapping(state::State& state, const std::string& vm) {
  for (HostObject& o : state.host_objects_of(vm))
    if (o.kind == ObjectKind::dm) return std::move(o);
  return {};
}

std::string attribute(const std::string& disk, const char* name) {
  auto text = sys::find_content(fmt::format("/sys/block/{}/{}", disk, name));
  return std::string(trim(text.value_or("")));
}

bool stands_elsewhere(const std::string& disk, const std::string& state_dir) {
  for (const std::string& loop : sys::list_dir(fmt::format("/sys/block/{}/slaves", disk)))
    if (std::string file = attribute(loop, "loop/backing_file"); !file.empty())
      if (!file.starts_with(state_dir + "/")) return true;
  return false;
}

void put(Context& ctx, const Vm& vm, const std::string& identity, bool made) {
  ctx.state.put_host_object(
      {ObjectKind::dm, mapping_name(ctx.state.tag(), vm.id), vm.id, {}, identity, made},
      outlives_of_runtime(ctx.dirs.runtime));
}

} // namespace

void map_root(Context& ctx, const Vm& vm, const Places& places) {
  if (places.cow.empty()) return;
  auto before = find_mapping(ctx.state, vm.id);
  const std::string& tag = ctx.state.tag();
  std::string identity = before ? before->identity : disk::new_mapping_identity(tag, vm.id);
  put(ctx, vm, identity, false);
  // The helper follows no link on the way.
  disk::MapPlan plan{{tag, vm.id, identity}, sys::real_path(ctx.dirs.state), vm.image_id};
  disk::Mapped mapped;
  try {
    mapped = helper::Client(helper_command(ctx.dirs)).map(plan);
  } catch (Error& e) {
    throw std::move(e.within("cannot map its root disk"));
  }
  put(ctx, vm, identity, true);
  if (mapped.revived) record(ctx, vm.name, "vm.disk_revived");
}

bool has_mapping(state::State& state, const std::string& vm) {
  return find_mapping(state, vm).has_value();
}

void unmap_device(const Dirs& dirs, const disk::Mapping& mapping) {
  helper::Client(helper_command(dirs)).unmap(mapping);
}

void unmap_root(Context& ctx, const Vm& vm) {
  auto row = find_mapping(ctx.state, vm.id);
  if (!row) return;
  try {
    unmap_device(ctx.dirs, {ctx.state.tag(), vm.id, row->identity});
  } catch (Error& e) {
    throw std::move(e.within(fmt::format("cannot unmap the root disk of '{}'", vm.name))
                        .default_subject(vm.name));
  }
  ctx.state.remove_host_objects(ObjectKind::dm, vm.id, outlives_of_runtime(ctx.dirs.runtime));
}

void tidy_mappings(Context& ctx) {
  for (const HostObject& o : ctx.state.host_objects(ObjectKind::dm)) {
    auto vm = ctx.state.find_vm_by_id(o.vm);
    if (vm && is_live(vm->state)) continue; // it is reconciled by itself
    std::optional<sys::FileLock> lock;
    if (vm) {
      Places places = places_of(ctx.dirs, ctx.state.tag(), *vm);
      if (!sys::exists(places.dir) || sys::FileLock::is_held(places.run_lock)) continue;
      lock = sys::FileLock::try_take(places.op_lock);
      if (!lock) continue;
      vm = ctx.state.find_vm_by_id(o.vm); // it may have been started meanwhile
      if (vm && is_live(vm->state)) continue;
    }
    Vm gone;
    gone.id = o.vm;
    unmap_root(ctx, vm.value_or(gone));
  }
}

std::vector<disk::Mapping> unknown_mappings(Reader& in, const std::string& state_dir) {
  const std::string& tag = in.state.tag();
  std::vector<disk::Mapping> found;
  for (const std::string& disk : sys::list_dir("/sys/block")) {
    if (!disk.starts_with("dm-") || stands_elsewhere(disk, state_dir)) continue;
    std::string name = attribute(disk, "dm/name"), identity = attribute(disk, "dm/uuid");
    auto parts = split(name, '-'); // banger-TAG-ID-root
    if (parts.size() == 4 && name == mapping_name(tag, parts[2]) &&
        identity.starts_with(name + "-"))
      found.push_back({tag, parts[2], identity});
  }
  std::set<std::string> known; // after the look: what is there had its row before
  for (HostObject& o : in.state.host_objects(ObjectKind::dm)) known.insert(std::move(o.identity));
  std::erase_if(found, [&](const disk::Mapping& m) { return known.contains(m.identity); });
  return found;
}

void require_mapper(const Dirs& dirs) {
  try {
    helper::Client(helper_command(dirs)).require_mapping();
  } catch (Error& e) {
    std::string hint = e.hint(), without = "use --root overlay, which needs nothing of the host";
    if (hint.find("--root overlay") == std::string::npos)
      hint += (hint.empty() ? "" : "; or ") + without;
    throw std::move(e.within("cannot map disks by device-mapper")).hint(hint);
  }
}

} // namespace banger::ops

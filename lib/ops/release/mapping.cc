#include "ops/release/mapping.h"

#include <set>

#include "core/error.h"
#include "core/text.h"
#include "sys/lock.h"

namespace banger::ops {

namespace {

// libdevmapper waits 5 s for those that have the device open.
constexpr Millis patience{20'000};

std::optional<HostObject> find_mapping(state::State& state, const std::string& vm) {
  for (HostObject& o : state.host_objects_of(vm))
    if (o.kind == ObjectKind::dm) return std::move(o);
  return {};
}

disk::Mapped ask(const Dirs& dirs, const disk::MapRequest& request) {
  auto done = sys::run(mapper_command(dirs, request.act), disk::to_line(request), patience);
  if (done.timed_out) throw timed_out("banger-mapper does not answer");
  if (done.out.empty())
    throw failed("banger-mapper failed ({})", done.status.text()).hint(done.err);
  return disk::parse_map_answer(done.out);
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

sys::Command mapper_command(const Dirs& dirs, const std::string& act) {
  return {.argv = {dirs.libexec + "/banger-mapper", act}, .env = {}, .cwd = {}};
}

disk::MapRequest begin_mapping(Context& ctx, const Vm& vm, const Places& places) {
  auto before = find_mapping(ctx.state, vm.id);
  const std::string& tag = ctx.state.tag();
  std::string identity = before ? before->identity : disk::new_mapping_identity(tag, vm.id);
  put(ctx, vm, identity, false);
  return {"attach", {{tag, vm.id, identity}, places.root, places.cow}};
}

void end_mapping(Context& ctx, const Vm& vm) {
  if (auto row = find_mapping(ctx.state, vm.id)) put(ctx, vm, row->identity, true);
}

std::optional<disk::MapRequest> begin_unmapping(Context& ctx, const std::string& vm) {
  auto row = find_mapping(ctx.state, vm);
  if (!row) return {};
  return disk::MapRequest{"detach", {{ctx.state.tag(), vm, row->identity}, {}, {}}};
}

void forget_mapping(Context& ctx, const std::string& vm) {
  ctx.state.remove_host_objects(ObjectKind::dm, vm, outlives_of_runtime(ctx.dirs.runtime));
}

void unmap_device(const Dirs& dirs, const disk::Mapping& mapping) {
  ask(dirs, {"detach", {mapping, {}, {}}});
}

void unmap_root(Context& ctx, const Vm& vm) {
  auto request = begin_unmapping(ctx, vm.id);
  if (!request) return;
  try {
    unmap_device(ctx.dirs, request->plan.mapping);
  } catch (Error& e) {
    throw std::move(e.within(fmt::format("cannot unmap the root disk of '{}'", vm.name))
                        .default_subject(vm.name));
  }
  forget_mapping(ctx, vm.id);
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

void require_mapper(const Dirs& dirs) { ask(dirs, {"check"}); }

} // namespace banger::ops

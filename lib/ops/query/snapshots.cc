#include "ops/query/snapshots.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "ops/common/places.h"
#include "ops/release/snapshots.h"

namespace banger::ops {

std::vector<SeenSnapshot> find_snapshots(Reader& in, const std::vector<Vm>& vms) {
  std::vector<SeenSnapshot> all;
  for (const Vm& vm : vms) {
    Places places = places_of(in.dirs, in.state.tag(), vm);
    for (Snapshot& s : in.state.snapshots(vm.id)) {
      SeenSnapshot& seen = all.emplace_back();
      seen.vm = vm.name;
      seen.dir = snapshot_dir(places, s.id);
      seen.snapshot = std::move(s);
      auto unless_unreadable = [&](auto&& look) {
        try {
          look();
        } catch (const Error& e) {
          seen.fault = e.message();
        }
      };
      unless_unreadable([&] { seen.used = used_by_snapshot(seen.dir); });
      unless_unreadable([&] { seen.machine = disk::read_manifest(seen.dir).machine; });
    }
  }
  return all;
}

Json to_json(const SeenSnapshot& seen) {
  Json vmm = nullptr, cpus = nullptr, memory = nullptr;
  if (const auto& m = seen.machine) {
    vmm = {{"driver", name_of(m->vmm)},
           {"version", m->vmm_version.empty() ? Json(nullptr) : Json(m->vmm_version)},
           {"accel", name_of(m->accel)}};
    cpus = m->cpus;
    memory = m->memory;
  }
  return {{"id", seen.snapshot.id},
          {"name", seen.snapshot.name},
          {"vm", seen.vm},
          {"created", to_rfc3339(seen.snapshot.created)},
          {"image_id", seen.snapshot.image_id},
          {"cpus", cpus},
          {"memory", memory},
          {"vmm", vmm},
          {"used", seen.used},
          {"path", seen.dir},
          {"fault", seen.fault.empty() ? Json(nullptr) : Json(seen.fault)}};
}

} // namespace banger::ops

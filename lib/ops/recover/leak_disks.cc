#include "model/host_object.h"
#include "ops/recover/leak_kinds.h"
#include "ops/release/mapping.h"

namespace banger::ops {

std::vector<Leak> find_mapped(const Scene& scene, Reader& in) {
  std::vector<Leak> found;
  for (const disk::Mapping& m : unknown_mappings(in, scene.state_dir))
    found.push_back({"dm", mapping_name(m.tag, m.id), m.id, {}, {}, {}, {}, 0, 0, m.identity});
  return found;
}

void unmap(const Leak& leak, Reader& in) {
  unmap_device(in.dirs, {in.state.tag(), leak.owner, leak.identity});
}

} // namespace banger::ops

#include "core/error.h"
#include "disk/loop.h"
#include "model/host_object.h"
#include "ops/recover/leak_kinds.h"
#include "ops/release/mapping.h"
#include "sys/owner.h"
#include "sys/proc.h"

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

std::vector<Leak> find_loops(const Scene& scene, Reader&) {
  std::vector<Leak> found;
  for (const disk::LoopSeen& l : disk::idle_loops_below(scene.state_dir))
    found.push_back({"loop",
                     fmt::format("{} ({})", l.node, l.file),
                     vm_of(scene, l.file),
                     l.node,
                     {},
                     {},
                     {},
                     0,
                     0,
                     l.identity});
  return found;
}

void clear_loop(const Leak& leak, Reader&) {
  if (!sys::is_root())
    throw preflight("cannot clear '{}' without root's rights", leak.path)
        .subject(leak.path)
        .hint(fmt::format("sudo losetup -d {}", leak.path));
  disk::clear_loop(leak.path, leak.identity);
}

} // namespace banger::ops

#include "ops/monitor/confinement.h"

#include <fmt/format.h>

#include "core/text.h"
#include "ops/release/snapshots.h"
#include "sys/confine.h"
#include "sys/file.h"

namespace banger::ops {

vmm::Inside entry_of(const Dirs& dirs, const Places& places, const Settings& settings,
                     const std::optional<sys::Namespaces>& where) {
  vmm::Inside entry{dirs.libexec + "/banger-enter"};
  if (where) {
    entry.net = where->net.get();
    entry.user = where->user.get();
  }
  entry.confined = settings.vm_confined;
  entry.directories = {memory_dir(places)};
  sys::make_dirs(memory_dir(places));
  return entry;
}

std::string confinement_of(const vmm::Inside& entry, bool is_in_cell) {
  std::vector<std::string> walls;
  if (is_in_cell) walls.emplace_back("namespaces");
  if (int version = entry.confined ? sys::landlock_version() : 0)
    walls.push_back(fmt::format("landlock {}", version));
  return join(walls, ", ");
}

} // namespace banger::ops

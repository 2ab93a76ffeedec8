#include "ops/monitor/confinement.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"
#include "ops/release/snapshots.h"
#include "sys/confine.h"
#include "sys/file.h"

namespace banger::ops {

namespace {
constexpr const char* in_cell = "namespaces";
}

vmm::Inside entry_of(const Dirs& dirs, const Places& places, const Settings& settings,
                     const std::optional<sys::Namespaces>& where, const std::string& before) {
  vmm::Inside entry{dirs.libexec + "/banger-enter"};
  if (where) {
    entry.net = where->net.get();
    entry.user = where->user.get();
  }
  entry.confined = settings.vm_confined || !before.empty();
  entry.saving = memory_dir(places);
  entry.cell = sys::real_path(places.runtime);
  sys::make_dirs(memory_dir(places));
  return entry;
}

void require_cell_again(const std::string& before, bool is_in_cell) {
  if (before.starts_with(in_cell) && !is_in_cell)
    throw failed(
        "the VMM before the guest's reboot was in namespaces of its own, and now none can be made")
        .hint("its log says why");
}

std::string confinement_of(const vmm::Inside& entry, bool is_in_cell) {
  std::vector<std::string> walls;
  if (is_in_cell) walls.emplace_back(in_cell);
  if (int version = entry.confined ? sys::landlock_version() : 0)
    walls.push_back(fmt::format("landlock {}", version));
  return join(walls, ", ");
}

} // namespace banger::ops

#include "ops/monitor/confinement.h"

#include "core/error.h"
#include "model/confinement.h"
#include "ops/release/snapshots.h"
#include "sys/confine.h"
#include "sys/file.h"

namespace banger::ops {

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
  if (parse_confinement(before).in_cell && !is_in_cell)
    throw failed(
        "the VMM before the guest's reboot was in namespaces of its own, and now none can be made")
        .hint("its log says why");
}

std::string confinement_of(const vmm::Inside& entry, bool is_in_cell) {
  return to_text(Confinement{is_in_cell, entry.confined ? sys::landlock_version() : 0});
}

} // namespace banger::ops

#include "ops/query/disk_use.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/units.h"
#include "ops/common/places.h"
#include "sys/file.h"

namespace banger::ops {

DiskUse disk_use(const Dirs& dirs, const Vm& vm) {
  auto allocated = [&](const char* file) -> std::optional<int64_t> {
    auto info = sys::find_info(dirs.vm_file(vm.id, file));
    if (!info) return {};
    return info->allocated;
  };
  return {allocated(own_root_name(vm.root_way)), allocated("work.img")};
}

std::string shortage(const Dirs& dirs, const std::vector<Vm>& vms) {
  int64_t wanted = 0;
  for (const Vm& vm : vms) {
    if (vm.root_way != RootWay::dm_snapshot || !is_live(vm.state)) continue;
    if (auto info = sys::find_info(dirs.vm_file(vm.id, own_root_name(vm.root_way))))
      wanted += std::max(int64_t{0}, info->size - info->allocated);
  }
  if (wanted == 0) return {};
  int64_t free = sys::free_space(dirs.state);
  if (free >= wanted) return {};
  return fmt::format(
      "VMs that run may still write {} to their root disks (dm-snapshot), and {} are "
      "free in '{}': a VM that finds no room there stands still, and loses what it "
      "wrote last",
      format_size(wanted), format_size(free), dirs.state);
}

} // namespace banger::ops

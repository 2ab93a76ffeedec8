#include "ops/monitor/disks.h"

#include <algorithm>

#include <fcntl.h>
#include <fmt/format.h>

#include "disk/ext4.h"
#include "sys/file.h"

namespace banger::ops {

bool has_room_to_grow(const Places& places) {
  auto smaller = [](const std::string& file) {
    return disk::ext4_size(file) < sys::size_of(sys::open_file(file, O_RDONLY).get());
  };
  return smaller(places.mapped.empty() ? own_root(places) : places.mapped) ||
         (!places.work.empty() && smaller(places.work));
}

std::vector<vmm::Disk> disks_of(const Places& places, const RateLimits& limits) {
  bool overlay = !places.upper.empty();
  const std::string& root = places.mapped.empty() ? places.root : places.mapped;
  std::vector<vmm::Disk> disks{{vmm::root_file, overlay, root, limits.root}};
  if (overlay) disks.push_back({vmm::upper_file, false, places.upper, limits.root});
  if (!places.work.empty()) disks.push_back({vmm::work_file, false, places.work, limits.work});
  return disks;
}

std::vector<vmm::Disk> disks_of(const Places& places, const Vm& vm, guest::Seed& seed) {
  std::vector<vmm::Disk> disks = disks_of(places, vm.limits);
  auto device = [&](const char* name) {
    auto at = std::ranges::find(disks, name, &vmm::Disk::file);
    return fmt::format("/dev/vd{}", static_cast<char>('a' + (at - disks.begin())));
  };
  bool overlay = !places.upper.empty();
  seed.disk = overlay ? guest::DiskMode::overlay : guest::DiskMode::direct;
  seed.root = device(vmm::root_file);
  if (overlay) seed.upper = device(vmm::upper_file);
  if (!places.work.empty()) {
    seed.work = device(vmm::work_file);
    seed.work_mount = vm.work_mount;
  }
  return disks;
}

} // namespace banger::ops

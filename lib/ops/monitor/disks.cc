#include "ops/monitor/disks.h"

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

std::vector<vmm::Disk> disks_of(const Places& places, const Vm& vm, guest::Seed& seed) {
  std::vector<vmm::Disk> disks;
  auto add = [&](const std::string& file, const char* name, bool read_only) {
    disks.push_back({name, read_only, file});
    return fmt::format("/dev/vd{}", static_cast<char>('a' + disks.size() - 1));
  };
  bool overlay = !places.upper.empty();
  seed.disk = overlay ? guest::DiskMode::overlay : guest::DiskMode::direct;
  seed.root = add(places.mapped.empty() ? places.root : places.mapped, vmm::root_file, overlay);
  if (overlay) seed.upper = add(places.upper, vmm::upper_file, false);
  if (!places.work.empty()) {
    seed.work = add(places.work, vmm::work_file, false);
    seed.work_mount = vm.work_mount;
  }
  return disks;
}

} // namespace banger::ops

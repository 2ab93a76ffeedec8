#include "ops/query/disk_use.h"

#include "sys/file.h"

namespace banger::ops {

DiskUse disk_use(const Dirs& dirs, const Vm& vm) {
  auto allocated = [&](const char* file) -> std::optional<int64_t> {
    auto info = sys::find_info(dirs.vm_file(vm.id, file));
    if (!info) return {};
    return info->allocated;
  };
  return {allocated(vm.root_way == RootWay::overlay ? "upper.img" : "root.img"),
          allocated("work.img")};
}

} // namespace banger::ops

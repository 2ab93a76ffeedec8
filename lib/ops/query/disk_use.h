// The room that VMs' disks take on the host.
#pragma once

#include "model/settings.h"
#include "model/vm.h"
#include "model/wire.h"

namespace banger::ops {

// None for a disk that is not there.
DiskUse disk_use(const Dirs& dirs, const Vm& vm);

} // namespace banger::ops

// The room that VMs' disks take on the host.
#pragma once

#include <string>
#include <vector>

#include "model/settings.h"
#include "model/vm.h"
#include "model/wire.h"

namespace banger::ops {

// None for a disk that is not there.
DiskUse disk_use(const Dirs& dirs, const Vm& vm);

// A warning for people where those of these VMs that run with a root disk over a sparse file
// (dm-snapshot) may still write more to it than is free; else empty. On the other ways a guest
// whose host is full is stopped, and loses nothing. One look at the file system, and one at each
// such file.
std::string shortage(const Dirs& dirs, const std::vector<Vm>& vms);

} // namespace banger::ops

// What running guests tell of their own memory, asked of all their monitors at once. Changes
// nothing.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/vm.h"
#include "ops/common/context.h"
#include "vmm/driver.h"

namespace banger::ops {

// By the VMs' ids. A VM is missing when it does not run, when its guest does not tell, tells what
// cannot be (more than the VM has), or its monitor has not answered within a second.
std::map<std::string, vmm::GuestMemory> guest_memories(const Dirs& dirs, const std::string& tag,
                                                       const std::vector<Vm>& vms);

} // namespace banger::ops

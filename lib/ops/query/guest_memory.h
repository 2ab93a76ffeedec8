// What running guests tell of their own memory, and what their VMMs have counted, asked of all
// their monitors at once. Changes nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/vm.h"
#include "ops/common/context.h"
#include "vmm/driver.h"

namespace banger::ops {

struct ToldByMonitor {
  std::optional<vmm::GuestMemory> memory;
  std::optional<vmm::Counters> counters;
};

// By the VMs' ids. A part is missing when a VM does not run, when its guest does not tell, tells
// what cannot be (more memory than the VM has), or its monitor has not answered within a second.
std::map<std::string, ToldByMonitor> ask_monitors(const Dirs& dirs, const std::string& tag,
                                                  const std::vector<Vm>& vms);

} // namespace banger::ops

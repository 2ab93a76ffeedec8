// How a VM's VMM is started: in the namespaces of its network, and kept from what of the host its
// VM does not need (sys/cell.h, sys/confine.h).
#pragma once

#include <optional>
#include <string>

#include "model/settings.h"
#include "ops/common/places.h"
#include "sys/namespace.h"
#include "vmm/launch.h"

namespace banger::ops {

// Makes the directory to which a confined VMM may write its guest's memory. `where` must outlive
// the result, whose descriptors it owns.
vmm::Inside entry_of(const Dirs& dirs, const Places& places, const Settings& settings,
                     const std::optional<sys::Namespaces>& where);

// What is in force for a VMM that was started so, as Vm::confinement has it.
std::string confinement_of(const vmm::Inside& entry, bool is_in_cell);

} // namespace banger::ops

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
// the result, whose descriptors it owns. `before`: what is in force for the VMM whose guest has
// rebooted, empty at a start. The next one is no weaker confined, because that guest may have taken
// its VMM over: it is confined where that one was, whatever the settings are by now, and
vmm::Inside entry_of(const Dirs& dirs, const Places& places, const Settings& settings,
                     const std::optional<sys::Namespaces>& where, const std::string& before);
// throws Error(failed) where that one was in a cell, and the next one is in none.
void require_cell_again(const std::string& before, bool is_in_cell);

// What is in force for a VMM that was started so, as Vm::confinement has it.
std::string confinement_of(const vmm::Inside& entry, bool is_in_cell);

} // namespace banger::ops

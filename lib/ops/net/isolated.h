// The network of a VM that is isolated: its VMM's own, and nobody else in it.
#pragma once

#include <string>

#include "model/vm.h"
#include "vmm/machine.h"

namespace banger::ops {

// Its ports must have been chosen. `outbound`: the way out is open. Error(conflict) where a port of
// UDP is published and it is closed.
vmm::UserNet isolated_net(const Vm& vm, bool outbound);

// The resolver that a guest is told, whatever its network.
std::string resolver_of(const Vm& vm);

} // namespace banger::ops

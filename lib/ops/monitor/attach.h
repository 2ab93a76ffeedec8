// How a VM's VMM is attached to its network.
#pragma once

#include <optional>
#include <string>

#include "ops/common/context.h"
#include "ops/link/link.h"
#include "ops/net/private_net.h"
#include "vmm/machine.h"

namespace banger::ops {

// The resolver that a guest is told.
std::string resolver_of(const Vm& vm);

// Chooses, records and (on `user`) forwards the VM's ports on the host.
void prepare_network(Context& ctx, PrivateNet& net, Vm& vm);
// For an isolated VM: QEMU's own network. Its ports must have been chosen. Error(conflict) where
// one of UDP is published and the way out is closed.
std::optional<vmm::UserNet> user_net_of(const MonitorRequest& request, const Vm& vm);

} // namespace banger::ops

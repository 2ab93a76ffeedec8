// Which network a VM gets, and how its VMM is attached to it.
#pragma once

#include <optional>

#include "ops/common/context.h"
#include "ops/link/link.h"
#include "ops/net/private_net.h"
#include "vmm/machine.h"

namespace banger::ops {

// The mode that was asked for; `auto`: `user` where this host allows it, else `isolated` with a
// notice that says why. Throws Error(preflight) with all that is missing for a mode that was asked
// for by name, Error(conflict) for a port that another VM publishes or that no answer would come
// out of, Error(usage) for an address that is not of the subnet or given to `isolated`.
NetMode choose_network(Context& ctx, const VmSpec& spec);

// Gives the new VM its addresses in the network of `vm.net_mode` and adds its row, in one
// transaction. Throws Error(conflict) when the address asked for is another's, none is left, or
// VMs still have addresses of another subnet.
Vm add_vm_with_address(Context& ctx, const VmSpec& spec, Vm vm);

// The resolver that a guest is told.
std::string resolver_of(const Vm& vm);

// Chooses, records and (on `user`) forwards the VM's ports on the host.
void prepare_network(Context& ctx, PrivateNet& net, Vm& vm);
// For an isolated VM: QEMU's own network. Its ports must have been chosen. Error(conflict) where
// one of UDP is published and the way out is closed.
std::optional<vmm::UserNet> user_net_of(const MonitorRequest& request, const Vm& vm);

} // namespace banger::ops

// Chooses a new VM's network, and its addresses there.
#pragma once

#include "ops/common/context.h"

namespace banger::ops {

// The mode that was asked for; `auto`: `user` where this host allows it, else `isolated` with a
// notice that says why. Throws Error(preflight) with all that is missing for a mode that was asked
// for by name; Error(conflict) for a port that another VM publishes, or whose answers could not
// leave the guest; Error(usage) for an address that is not of the subnet or given to `isolated`.
NetMode choose_network(Context& ctx, const VmSpec& spec);

// Checks that a new VM could have its address now: throws as add_vm_with_address() would.
void require_address(Context& ctx, const VmSpec& spec, NetMode mode);

// Gives the new VM its addresses in the network of `vm.net_mode` and adds its row, in one
// transaction. Throws Error(conflict) when the address asked for is another VM's, none is left, or
// VMs still have addresses of another subnet.
Vm add_vm_with_address(Context& ctx, const VmSpec& spec, Vm vm);

// Checks that a VM can have another mode: throws as choose_network() does, and Error(conflict) for
// a published port whose answers could not leave the guest there.
void require_mode(Context& ctx, const Vm& vm, NetMode mode);
// Gives a VM that does not run the mode and its addresses there; its ports stay. The caller owns
// the transaction and writes the row.
void move_to(Context& ctx, NetMode mode, Vm& vm);

} // namespace banger::ops

// A VM's address in a network that VMs share: one of its subnet that no other VM of that network
// has.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/subnet.h"
#include "ops/common/context.h"

namespace banger::ops {

// As NetPlace::lease(), for the network of `vm.net_mode`, which has that subnet. The gateway is
// left to the network.
void lease_shared(Context& ctx, std::string_view doing, const Subnet& subnet,
                  const std::optional<std::string>& ip, Vm& vm);

// After a lease: the host reaches a VM on its own bridge at the VM's address, another at a loopback
// address, which stays while it can. Ports at the one before follow.
void settle_reach(Context& ctx, Vm& vm);

} // namespace banger::ops

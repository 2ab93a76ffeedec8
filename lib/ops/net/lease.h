// A VM's address in a network that VMs share: one of net.subnet that no other VM of that network
// has.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ops/common/context.h"

namespace banger::ops {

// As NetPlace::lease(), for the network of `vm.net_mode`.
void lease_shared(Context& ctx, std::string_view doing, const std::optional<std::string>& ip,
                  Vm& vm);

} // namespace banger::ops

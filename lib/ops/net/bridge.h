// `banger net up` and `banger net down`: the state's bridge as a wish that outlives a reboot.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/subnet.h"
#include "ops/common/context.h"

namespace banger::ops {

// Whether the state's bridge is up, or is made again by the next start.
bool bridge_is_wanted(state::State& state);
// The subnet of its bridge, also while that is down; none where it never was up.
std::optional<Subnet> bridge_subnet(state::State& state);

struct BridgeUp {
  Subnet subnet;
  std::string bridge;               // its name
  std::vector<std::string> uplinks; // empty: guests have no way out now
  bool changed = false;             // it was down, or had another subnet
};
// Makes the bridge whole. `subnet` empty: the one that it has, or had, else a free one. Throws
// Error(conflict) where VMs have addresses of another subnet than that, Error(preflight) without
// the rights for it.
BridgeUp net_up(Context& ctx, const std::optional<Subnet>& subnet);
// Removes it with all that belongs to it; false: it was down. Throws Error(conflict) that names the
// VMs that run on it.
bool net_down(Context& ctx);

} // namespace banger::ops

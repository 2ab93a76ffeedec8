// How the network `bridge` gets another subnet than the one that it has, which is somebody else's
// by now. A VM keeps its address for as long as it is of that network, so that those that have one
// leave it meanwhile.
#pragma once

#include <string>
#include <vector>

#include "state/state.h"

namespace banger::ops {

// The VMs that have an address of it, by name.
std::vector<std::string> holders_of_subnet(state::State& state);
// Commands: while it is up, and once it is down.
std::string way_to_other_subnet(state::State& state, bool is_up);

} // namespace banger::ops

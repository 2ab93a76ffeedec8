// What a host and its helper have of a state's bridge, compared with what the state knows of it.
#pragma once

#include <optional>

#include "helper/client.h"
#include "state/state.h"

namespace banger::ops {

// What is told of VMs that run on the bridge and that root's record of it has lost; none: nothing.
std::optional<net::BridgeFault> lost_guests(state::State& state, const helper::Client::Seen& seen);

} // namespace banger::ops

// What a host and its helper have of a state's bridge, compared with what the state knows of it.
#pragma once

#include <optional>
#include <string>

#include "helper/client.h"
#include "state/state.h"

namespace banger::ops {

// How a fault is told: with the VM at its tap, where it is of one alone (`vm`; else empty).
struct ToldFault {
  std::string text, mend; // the command that mends it
};
ToldFault told(const net::BridgeFault& fault, const std::string& vm, state::State* state);

// What is told of VMs that run on the bridge and that root's record of it has lost; none: nothing.
std::optional<net::BridgeFault> lost_guests(state::State& state, const helper::Client::Seen& seen);

} // namespace banger::ops

// The zone of a state's VMs' names (model/zone.h), as the last verb that changed anything was told
// by dns.zone.
//
// A command that only reads goes by its own settings. Names that are written use this zone: a
// monitor lives long, and knows no settings.
#pragma once

#include <string>

#include "state/state.h"

namespace banger::ops {

std::string zone_of(state::State& state);
void set_zone(state::State& state, const std::string& zone);

} // namespace banger::ops

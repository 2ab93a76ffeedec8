// The networks that VMs can have in this build: the one place that lists them.
#pragma once

#include <memory>
#include <vector>

#include "ops/net/place.h"

namespace banger::ops {

// Throws Error(failed) for a mode that this build does not have.
std::unique_ptr<NetPlace> open_place(Context& ctx, NetMode mode);
std::vector<std::unique_ptr<NetPlace>> all_places(Context& ctx);

} // namespace banger::ops

// A reset that was interrupted: the new root that lies beside the old one (ops/vm/reset.h).
#pragma once

#include <string>

#include "ops/common/places.h"

namespace banger::ops {

// The new root's path, half made: the name says so, to doctor too.
std::string half_made_root(const Places& places);
// And whole. The image in its name is what the row has once the reset is decided.
std::string whole_root(const Places& places, const std::string& image_id);

// Finishes or takes back a reset that was interrupted. The caller holds op.lock, and the VM does
// not run.
void settle_reset(const Places& places, const Vm& vm);

} // namespace banger::ops

// Checks one by one what banger needs of this machine. Changes nothing.
#pragma once

#include <vector>

#include "model/settings.h"
#include "ops/host/check.h"

namespace banger::ops {

// All checks, always in the same order. A check that cannot be made is itself `missing` with the
// reason; no finding is thrown as an Error.
std::vector<Check> check_host(const Settings& settings, const Dirs& dirs);

} // namespace banger::ops

// What banger needs of this machine, looked at one by one; nothing is changed.
#pragma once

#include <vector>

#include "model/settings.h"
#include "ops/host/check.h"

namespace banger::ops {

// All checks, always in the same order. A check that cannot be made is itself `missing` with the
// reason; nothing is thrown for what is found.
std::vector<Check> check_host(const Settings& settings, const Dirs& dirs);

} // namespace banger::ops

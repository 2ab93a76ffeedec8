// A VM's log files.
#pragma once

#include <functional>
#include <string>

#include "ops/context.h"

namespace banger::ops {

enum class VmLog { console, vmm, lifecycle };

// The last `lines` lines (0: all that is kept, at most 8 MiB) of one of them; empty where there is
// none yet.
std::string read_log(Context& ctx, const std::string& ref, VmLog which, size_t lines);

} // namespace banger::ops

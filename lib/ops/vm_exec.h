// A command in a guest, for verbs that start a VM for it.
#pragma once

#include <string>
#include <vector>

#include "ops/context.h"

namespace banger::ops {

// Runs banger-ssh NAME -- WORDS with this process's standard streams; returns its status.
int run_in_guest(Context& ctx, const Vm& vm, const std::vector<std::string>& words);

} // namespace banger::ops

// A command in a guest, for verbs that start a VM for it.
#pragma once

#include <string>
#include <vector>

#include "ops/common/context.h"

namespace banger::ops {

struct GuestRun {
  int status = 0;
  bool interrupted = false; // a signal came meanwhile, and was the command's
};

// Runs banger-ssh NAME -- WORDS with this process's standard streams; returns its status. It is
// given `common` as well (App::common_words), so that it tells its own failures as was asked for.
GuestRun run_in_guest(Context& ctx, const Vm& vm, const std::vector<std::string>& words,
                      const std::vector<std::string>& common = {});

} // namespace banger::ops

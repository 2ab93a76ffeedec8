// Commands that a monitor runs in its guest, over ssh, by a helper.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ops/common/context.h"
#include "ops/common/places.h"
#include "ops/monitor/helper.h"

namespace banger::ops {

struct Guest {
  const Places& places;
  const Vm& vm;
  int errors; // where the helper's complaints go
};

// The command goes on for as long as the returned object lives, `time` at most. Null, and a line in
// the log, where it cannot be begun.
std::unique_ptr<Helper> run_in_guest(Context& ctx, sys::Loop& loop, const Guest& guest,
                                     const std::string& command, Millis time);
// Sets the guest's clock to the host's. `then` is called from the loop when that is done, or has
// failed.
std::unique_ptr<Helper> set_clock(
    Context& ctx, sys::Loop& loop, const Guest& guest, Millis time,
    std::function<void()> then = [] {});

} // namespace banger::ops

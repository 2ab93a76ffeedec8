// Has banger-place (ops/monitor/place.h) do one thing for a VM.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/error.h"
#include "ops/common/context.h"
#include "ops/monitor/helper.h"

namespace banger::ops {

struct PlaceAct {
  std::string act; // a PlaceRequest's
  std::string vm;  // its id
};

// Begins it; it goes on for as long as the returned object lives, `patience` at most, and works in
// the directory `cwd`. `done` is called once, from the loop, and may destroy that object. The error
// output goes to `errors`. Throws where it cannot be started.
std::unique_ptr<Helper> ask_place(Context& ctx, sys::Loop& loop, const PlaceAct& act,
                                  const std::string& cwd, int errors, Millis patience,
                                  std::function<void(std::optional<Error>)> done);

} // namespace banger::ops

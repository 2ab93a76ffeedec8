// The options that say how long a start or a stop may take.
#pragma once

#include <optional>

#include "cli/verb.h"
#include "core/units.h"
#include "ops/vm/start.h"

namespace banger::tool {

// Common to run, start and restart.
struct StartOptions {
  std::optional<Millis> timeout;
  bool no_wait = false;

  void declare(cli::Spec& spec);
  ops::StartOptions get() const;
};

// "--timeout" of stop, "--stop-timeout" of restart.
cli::Option stop_timeout_option(const char* flag, std::optional<Millis>& timeout);

} // namespace banger::tool

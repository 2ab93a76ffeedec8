// --watch: the same again and again.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/app.h"
#include "cli/verb.h"
#include "core/units.h"

namespace banger::tool {

struct Watch {
  bool watch = false;
  Millis interval{2000}; // between two looks

  void declare(cli::Spec& spec, const std::string& what);
  // Calls `look` once, or with --watch until standard output has no reader any more. The text that
  // it gives is shown to people in place of the one before.
  int run(cli::App& app, const std::function<std::string()>& look) const;
};

} // namespace banger::tool

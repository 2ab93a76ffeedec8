// The outermost frame of every tool: an exception is printed once and becomes a status.
#pragma once

#include <functional>
#include <string_view>

#include "cli/app.h"

namespace banger::cli {

// Runs `body`, which returns the exit status, and flushes `out` after it. Meanwhile SIGPIPE and
// SIGXFSZ are ignored, so that neither a reader that left early nor a limit on file sizes cuts an
// operation short; at the end the tool dies of SIGPIPE all the same, as a shell that looks at its
// status expects.
int guarded(std::string_view tool, bool json, Output& out, const std::function<int()>& body);

// Gives closed standard descriptors a stand-in, before any file is opened: the next one would get
// their number, and what is printed would land in it.
void fill_closed_stdio();

} // namespace banger::cli

// The one thing that banger-doctor does; it has no verbs.
#pragma once

#include "cli/verb.h"

namespace banger::tool {

cli::VerbEntry entry();

} // namespace banger::tool

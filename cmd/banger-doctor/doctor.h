// The one thing that banger-doctor does; it has no verbs.
#pragma once

#include "cli/verb.h"

namespace doctor {

banger::cli::VerbEntry entry();

} // namespace doctor

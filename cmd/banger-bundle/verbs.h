// The verbs of banger-bundle.
#pragma once

#include <memory>

#include "cli/verb.h"

namespace banger::tool {

std::unique_ptr<cli::Verb> make_build();
std::unique_ptr<cli::Verb> make_show();
std::unique_ptr<cli::Verb> make_verify();

} // namespace banger::tool

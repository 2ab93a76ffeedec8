#pragma once
#include <memory>

#include "cli/verb.h"

namespace banger::tool {

std::unique_ptr<cli::Verb> make_connect();
std::unique_ptr<cli::Verb> make_config();
std::unique_ptr<cli::Verb> make_cp();
std::unique_ptr<cli::Verb> make_forward();
std::unique_ptr<cli::Verb> make_sync();

} // namespace banger::tool

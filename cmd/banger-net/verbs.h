// The verbs of banger-net: one maker a file; main.cc lists them.
#pragma once

#include <memory>

#include "cli/verb.h"

namespace banger::tool {

std::unique_ptr<cli::Verb> make_up();
std::unique_ptr<cli::Verb> make_down();
std::unique_ptr<cli::Verb> make_nat_up();
std::unique_ptr<cli::Verb> make_nat_down();
std::unique_ptr<cli::Verb> make_status();
std::unique_ptr<cli::Verb> make_probe();
std::unique_ptr<cli::Verb> make_publish();

} // namespace banger::tool

// The verbs of banger-image: one maker a file; main.cc lists them.
#pragma once

#include <memory>

#include "cli/verb.h"

namespace banger::tool {

std::unique_ptr<cli::Verb> make_import();
std::unique_ptr<cli::Verb> make_list();
std::unique_ptr<cli::Verb> make_show();
std::unique_ptr<cli::Verb> make_rm();
std::unique_ptr<cli::Verb> make_prune();

} // namespace banger::tool

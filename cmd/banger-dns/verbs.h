// The verbs of banger-dns: one maker a file; main.cc lists them.
#pragma once

#include <memory>

#include "cli/verb.h"

namespace banger::tool {

std::unique_ptr<cli::Verb> make_serve();
std::unique_ptr<cli::Verb> make_start();
std::unique_ptr<cli::Verb> make_stop();
std::unique_ptr<cli::Verb> make_restart();
std::unique_ptr<cli::Verb> make_status();
std::unique_ptr<cli::Verb> make_resolve();
std::unique_ptr<cli::Verb> make_records();
std::unique_ptr<cli::Verb> make_install();
std::unique_ptr<cli::Verb> make_uninstall();

} // namespace banger::tool

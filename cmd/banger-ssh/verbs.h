#pragma once
#include <memory>

#include "cli/verb.h"

std::unique_ptr<banger::cli::Verb> make_connect();
std::unique_ptr<banger::cli::Verb> make_config();
std::unique_ptr<banger::cli::Verb> make_cp();
std::unique_ptr<banger::cli::Verb> make_forward();
std::unique_ptr<banger::cli::Verb> make_sync();

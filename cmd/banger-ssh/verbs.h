#pragma once
#include <memory>

#include "cli/verb.h"

std::unique_ptr<banger::cli::Verb> make_connect();
std::unique_ptr<banger::cli::Verb> make_config();

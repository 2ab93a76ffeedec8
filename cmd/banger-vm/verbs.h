// The verbs of banger-vm: one maker a file; main.cc lists them.
#pragma once

#include <memory>

#include "cli/verb.h"

namespace banger::tool {

std::unique_ptr<cli::Verb> make_create();
std::unique_ptr<cli::Verb> make_run();
std::unique_ptr<cli::Verb> make_start();
std::unique_ptr<cli::Verb> make_restart();
std::unique_ptr<cli::Verb> make_stop();
std::unique_ptr<cli::Verb> make_kill();
std::unique_ptr<cli::Verb> make_pause();
std::unique_ptr<cli::Verb> make_resume();
std::unique_ptr<cli::Verb> make_snapshot_create();
std::unique_ptr<cli::Verb> make_snapshot_list();
std::unique_ptr<cli::Verb> make_snapshot_restore();
std::unique_ptr<cli::Verb> make_snapshot_rm();
std::unique_ptr<cli::Verb> make_reset();
std::unique_ptr<cli::Verb> make_rm();
std::unique_ptr<cli::Verb> make_list();
std::unique_ptr<cli::Verb> make_show();
std::unique_ptr<cli::Verb> make_set();
std::unique_ptr<cli::Verb> make_stats();
std::unique_ptr<cli::Verb> make_logs();
std::unique_ptr<cli::Verb> make_console();
std::unique_ptr<cli::Verb> make_wait();
std::unique_ptr<cli::Verb> make_events();
std::unique_ptr<cli::Verb> make_preflight();
std::unique_ptr<cli::Verb> make_reconcile();
std::unique_ptr<cli::Verb> make_failpoints();

} // namespace banger::tool

// How far a boot has come, as its monitor tells a verb. Pure.
#pragma once

#include <string>

#include "core/error.h"
#include "core/units.h"

namespace banger::ops {

struct BootStage {
  std::string word;       // kernel, init, network, port, ssh, login: scripts may compare it
  std::string text;       // what is wrong where it gets no further
  std::string doing = {}; // what it is at, as long as nothing is wrong; empty: something is
};

// How long a VM had to become ready: the time asked for, and the longer one under emulation.
struct BootTime {
  Millis asked, given;
};

// Why a VM is not ready after `waited`: Error(timeout) that names the stage and shows the end of
// the console.
Error not_ready(const std::string& name, const BootStage& stage, Millis waited, BootTime time,
                const std::string& console_tail);

} // namespace banger::ops

// Answers a verb with what the VMM tells of its guest: its "memory", or what was counted
// ("counters").
#pragma once

#include <string>

#include "ops/monitor/reply.h"
#include "vmm/driver.h"

namespace banger::ops {

void look(const std::string& at, vmm::Running& vmm, const Reply& reply);

} // namespace banger::ops

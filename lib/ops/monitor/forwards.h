// Ports of the VMM's own network, opened and closed while its guest runs.
#pragma once

#include <optional>

#include "ops/link/link.h"
#include "ops/monitor/preparation.h"
#include "ops/monitor/reply.h"
#include "ops/monitor/vmm.h"

namespace banger::ops {

// `ask` is publish or unpublish; `reply` is given once, now or from the loop. The change is made in
// `prepared`, too, so that the next VMM of a guest that reboots forwards the same. All but `ask`
// and `reply` must live as long as the VMM.
void change_forward(const Ask& ask, const Vm& vm, Vmm& vmm, std::optional<Prepared>& prepared,
                    const Reply& reply);

} // namespace banger::ops

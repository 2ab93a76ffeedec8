// Ports of the VMM's own network, opened and closed while its guest runs.
#pragma once

#include <optional>

#include "ops/link/link.h"
#include "ops/monitor/preparation.h"
#include "ops/monitor/reply.h"
#include "ops/monitor/vmm.h"

namespace banger::ops {

// `ask` is publish or unpublish; `reply` is given once, now or from the loop. A VMM that is
// started again, with what `prepared` has, forwards the same. All but `ask` and `reply` must live
// as long as the VMM.
void change_forward(const Ask& ask, const Vm& vm, Vmm& vmm, std::optional<Prepared>& prepared,
                    const Reply& reply);

} // namespace banger::ops

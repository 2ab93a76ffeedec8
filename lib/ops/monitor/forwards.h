// Ports of the VMM's own network, opened and closed while its guest runs.
#pragma once

#include <functional>
#include <optional>

#include "ops/link/link.h"
#include "ops/monitor/preparation.h"
#include "ops/monitor/vmm.h"

namespace banger::ops {

// `ask` is publish or unpublish; `answer` is called once, now or from the loop. A VMM that is
// started again, with what `prepared` has, forwards the same. All but `ask` and `answer` must live
// as long as the VMM.
void change_forward(const Ask& ask, const Vm& vm, Vmm& vmm, std::optional<Prepared>& prepared,
                    const std::function<void(const Report&)>& answer);

} // namespace banger::ops

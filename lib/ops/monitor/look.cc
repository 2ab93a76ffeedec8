#include "ops/monitor/look.h"

namespace banger::ops {

void look(const std::string& at, vmm::Running& vmm, const Reply& reply) {
  auto tell = [reply](const auto& told) { told ? reply.done(*told) : reply.refuse(told.error()); };
  if (at == "memory")
    vmm.look_at_memory(tell);
  else
    vmm.look_at_counters(tell);
}

} // namespace banger::ops

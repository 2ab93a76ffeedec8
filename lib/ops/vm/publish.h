// Ports of a VM on the host, added and removed while it runs or when it does not.
#pragma once

#include <string>
#include <vector>

#include "ops/common/context.h"

namespace banger::ops {

struct Published {
  Vm vm;                     // its row
  std::vector<Port> changed; // as they are, or were, recorded
};

// All of them or none. Recorded in the VM's row, and forwarded at once when it runs. An empty host
// address is the VM's own. A low port that only root may have becomes a free high one, as at a
// start.
//   Error(conflict)   one is published already, by this VM or another, or another program has it;
//                     the VM is just starting or stopping; it is isolated, and of UDP no answer
//                     would come out
//   Error(not_found)  no such VM
Published publish_ports(Context& ctx, const std::string& ref, std::vector<Port> ports);

// Error(not_found) when one of them is not published; nothing is changed then. Of one that stands
// there both at 127.0.0.1 and at the VM's own address, it is enough that one of the two is.
Published unpublish_ports(Context& ctx, const std::string& ref, std::vector<Port> ports);

// What verbs that died left half-done: the host forwards what the rows say. Throws Error when a
// monitor or the network cannot be asked; what is left is for the next call.
void settle_ports(Context& ctx);

} // namespace banger::ops

// Ports of a VM on the host, added and removed while it runs or when it does not.
#pragma once

#include <string>
#include <vector>

#include "ops/common/context.h"

namespace banger::ops {

struct Published {
  Vm vm; // its row
  // That changed, as they are, or were, recorded; if none did, all that were asked for.
  std::vector<Port> ports;
  bool changed = true; // false: all of them were published so already
};

// All of them or none. Recorded in the VM's row, and forwarded at once when it runs. An empty host
// address is the VM's own. A low port that only root may have becomes a free high one, as at a
// start. What this VM publishes just so already stays as it is.
//   Error(conflict)   one leads elsewhere already, in this VM or another; another program has it;
//                     the VM is just starting or stopping; a port is of UDP and the VM isolated
//                     without a way out, so that no answer would leave it
//   Error(not_found)  no such VM
Published publish_ports(Context& ctx, const std::string& ref, std::vector<Port> ports);

// Error(not_found) when one of them is not published; then none is removed. A port that is given
// both at 127.0.0.1 and at the VM's own address needs to be published at one of them only.
Published unpublish_ports(Context& ctx, const std::string& ref, std::vector<Port> ports);

// Finishes the changes of verbs that died: the host then forwards the ports of the rows. Throws
// Error when a monitor or the network cannot be asked; the next call then does the rest.
void settle_ports(Context& ctx);

} // namespace banger::ops

// The way to a VM over ssh, from its row: a caller gets an endpoint, or the reason why not.
#pragma once

#include <string>

#include "guest/identity/endpoint.h"
#include "model/settings.h"
#include "model/vm.h"
#include "ops/common/context.h"

namespace banger::ops {

struct SshTarget {
  Vm vm;
  std::string host; // its name in known_hosts that no change of the zone touches: its address
  std::string known_hosts;
  guest::Endpoint endpoint;
};

// Throws Error(not_found) for a VM that is not there, Error(conflict) with a hint for one that does
// not run or stands still, Error(failed) for one whose host key is not known (it was never
// started).
SshTarget find_ssh_target(Reader& in, const std::string& ref);

// Throws Error(conflict) that says why, where the guest of a VM that was asked has been stopped by
// its VMM since.
void require_going_on(const Dirs& dirs, const Vm& vm);

} // namespace banger::ops

// Whether this host allows the private network.
#pragma once

#include <string>
#include <vector>

#include "model/settings.h"
#include "state/state.h"

namespace banger::ops {

struct UserNetFault {
  std::vector<std::string> missing; // for people; empty: nothing is
  std::vector<std::string> mends;   // how each is mended
};

// Looks at slirp4netns, the tun device and user namespaces. Whether a namespace can really be made
// and is given rights is tried once a boot of the host by making one, and kept in the state
// `verdicts` for as long as the settings of the kernel that decide it stay. Null, or opened for
// reading: it is tried each time.
UserNetFault user_net_fault(const Dirs& dirs, state::State* verdicts);

} // namespace banger::ops

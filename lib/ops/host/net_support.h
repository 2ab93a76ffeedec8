// Whether this host allows the private network.
#pragma once

#include <string>
#include <vector>

#include "model/settings.h"
#include "state/state.h"

namespace banger::ops {

struct UserNetFault {
  std::vector<std::string> missing; // for people; empty: the host allows it
  std::vector<std::string> mends;   // how each is mended
};

// Looks at slirp4netns, the tun device and user namespaces. Once a boot of the host a namespace is
// really made, to see whether it gets its rights. The result is kept in the state `verdicts` for as
// long as the kernel settings that decide it stay the same. Where `verdicts` is null, or opened for
// reading, a namespace is made each time.
UserNetFault user_net_fault(const Dirs& dirs, state::State* verdicts);

} // namespace banger::ops

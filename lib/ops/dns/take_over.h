// One DNS daemon in the place of another.
#pragma once

#include <vector>

#include "ops/dns/daemon.h"

namespace banger::ops {

// Ends the daemon of this state, if there is one, and gives the sockets that it answered: what is
// asked meanwhile waits in them, and no datagram is lost. None of one that does not give them,
// which is ended all the same.
std::vector<Fd> take_over_dns(const Settings& settings, const Dirs& dirs);

} // namespace banger::ops

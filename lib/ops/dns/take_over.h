// One DNS daemon in the place of another.
#pragma once

#include <vector>

#include "ops/dns/daemon.h"

namespace banger::ops {

// Ends the daemon of this state, if there is one, and gives the sockets that it answered. Questions
// that come meanwhile wait in them, and no datagram is lost. A daemon that does not give its
// sockets is ended all the same, and none are returned.
std::vector<Fd> take_over_dns(const Settings& settings, const Dirs& dirs);

} // namespace banger::ops

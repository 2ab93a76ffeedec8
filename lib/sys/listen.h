// Listening on TCP, and taking what comes without blocking.
#pragma once

#include <string>

#include "core/handle.h"

namespace banger::sys {

// A listener on address:port (0: one that is free), which blocks nobody. Throws Error(conflict) for
// a port that is taken, Error(preflight) for one that this user may not have, Error(usage) for an
// address that is none.
Fd listen_tcp(const std::string& address, int port);
// The port that a listener has.
int port_of(int listener);

} // namespace banger::sys

// Ports of a guest, offered on this machine through an ssh session.
#pragma once

#include <vector>

#include "core/handle.h"
#include "guest/ssh/session.h"

namespace banger::guest {

struct ForwardedPort {
  Fd listener;        // never blocking
  int guest_port = 0; // on the guest's 127.0.0.1
};

// Serves until a signal is there to be read on `signals`; it is not read. Any number of connections
// at once up to 100, the next ones wait; each ends one way at a time, as TCP does. A guest that
// refuses a connection gets it closed here. Throws Error(unreachable) when the session is lost.
//
// The bytes on the way are bounded: 64 KiB a connection and way, and the windows of the channels.
void forward_ports(Session& session, std::vector<ForwardedPort>& ports, int signals);

} // namespace banger::guest

// Waiting until a guest is ready: until a command was done over ssh.
//
// Connections are begun anew, because a network that was not there yet makes an early one wait for
// the next retransmission (5 s were lost so), and a forwarder in front of the guest (QEMU's user
// network) accepts before the guest listens. A port that is closed is asked again at once. Beside
// connections that stay open another is begun after ever longer pauses: each is work for a server,
// and one that is given up is not gone for the guest. A forwarder goes on to try it, and a server
// that has too many of them at once turns all others away.
#pragma once

#include <functional>

#include "core/clock.h"
#include "guest/boot/protocol.h"
#include "guest/identity/endpoint.h"

namespace banger::guest {

// Blocks until the guest is ready, has another host key, or the deadline passes; returns the last
// stage reported. `report` is called on each change: how far it got for the first time, and each
// outcome that differs from the one before. Throws Error only for a fault of this host's side.
// `listener` is a descriptor (a pipe's or socket's end, -1: none) whose other end is the asker's:
// when that end is closed, waiting ends as at the deadline.
Stage await_ready(const Endpoint& endpoint, const Deadline& deadline,
                  const std::function<void(const StageReport&)>& report, int listener = -1);

} // namespace banger::guest

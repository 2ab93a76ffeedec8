// Listening on TCP, and taking what comes without blocking.
#pragma once

#include <string>

#include "core/handle.h"
#include "model/endpoint.h"

namespace banger::sys {

// A nonblocking listener on address:port (0: one that is free). Throws Error(conflict) for
// a port that is taken, Error(preflight) for one that this user may not have, Error(usage) for an
// address that is none.
// `link` as of bind_udp (sys/datagram.h).
Fd listen_tcp(const std::string& address, int port, const std::string& link = {});
// Has a connection send each packet at once: somebody waits for it.
void send_at_once(int connection);
// Whether fd is a listener of TCP over IPv4.
bool is_tcp_listener(int fd);
// Where a socket is bound.
Endpoint endpoint_of(int socket);
// The other end of a connection; nothing where that is gone.
Endpoint peer_of(int connection);
// The port that a listener has.
int port_of(int listener);

} // namespace banger::sys

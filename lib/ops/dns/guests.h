// The body of libexec/banger/banger-resolver: answers guests of a shared network their questions
// for names. It reads the guests' names and addresses from the state, as the DNS daemon does
// (ops/dns/names.h), and relays questions for other names to the host's servers (dns/relay.h).
#pragma once

#include "ops/net/resolver.h"

namespace banger::ops {

// Takes a request from `talk`, answers there, and serves at those sockets until it is ended. An
// Error that keeps it from serving is told on `talk`, then thrown.
void serve_guests(Fd talk, Fd udp, Fd tcp);

} // namespace banger::ops

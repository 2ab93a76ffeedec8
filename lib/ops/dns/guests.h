// The body of libexec/banger/banger-resolver: answers what the guests of a shared network ask of
// names. The guests' names and addresses it has from the state, as the DNS daemon has the host's
// (ops/dns/names.h); what is outside is relayed to the host's name servers (dns/relay.h).
#pragma once

#include "ops/net/resolver.h"

namespace banger::ops {

// Takes a request from `talk`, answers there, and serves at those sockets until it is ended. Throws
// what keeps it from that, after it has said so.
void serve_guests(Fd talk, Fd udp, Fd tcp);

} // namespace banger::ops

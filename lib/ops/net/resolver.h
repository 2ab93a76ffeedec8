// The request to libexec/banger/banger-resolver, which answers the DNS questions of a shared
// network's guests. It belongs to the network as the holder does (ops/dns/guests.h is its body).
//
// It is in the host's namespaces, where the host's name servers are, and is handed the sockets at
// port 53 of the bridge, which the holder keeps.
#pragma once

#include <string>
#include <string_view>

#include "ops/common/context.h"

namespace banger::ops {

inline constexpr int resolver_udp_fd = 3, resolver_tcp_fd = 4, resolver_changes_fd = 5;

// The request is one line on its standard input, a socket. Its answer there is a line, too: {"v"}
// when it serves, with "error" when it cannot.
struct ResolverRequest {
  std::string subnet; // of the network
  NetMode mode{};     // of the VMs in it
  std::string op, log_level;
  Dirs dirs; // state, runtime and libexec
  Settings settings;
  // Of the network `bridge`, which the resolver keeps whole by resolver_changes_fd
  // (ops/net/bridge_mender.h): the state's tag, empty where it does not, and the bridge's index.
  std::string mends = {};
  int link = 0;
};
std::string to_line(const ResolverRequest& request);
// Throws Error(failed) for a line that is none.
ResolverRequest parse_resolver_request(std::string_view line);

} // namespace banger::ops

// Which process has a port of this host, for messages.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sys/proc.h"

namespace banger::sys {

// The process whose socket stands in the way of a bind of `proto` ("tcp", "udp") to an IPv4 address
// and port, by /proc/net. None if there is none, or if its descriptors are not ours to read
// (another user's process).
std::optional<ProcessInfo> find_port_owner(const std::string& proto, const std::string& address,
                                           int port);
// All processes that have it: one may have given it to another.
std::vector<ProcessInfo> find_port_owners(const std::string& proto, const std::string& address,
                                          int port);
// The first of them in words: "nginx (process 12)", or "another program".
std::string tell_port_owner(const std::string& proto, const std::string& address, int port);

} // namespace banger::sys

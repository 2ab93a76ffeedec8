// Published ports as people write them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/vm.h"

namespace banger {

// Where people look for a server on their own machine.
inline constexpr const char* loopback = "127.0.0.1";

// All addresses of the host.
inline constexpr const char* everywhere = "0.0.0.0";

// Whether both cannot be had at once. An address that was not given yet is the VM's own, which no
// other VM's port is in the way of.
bool overlap(const Port& a, const Port& b, bool same_vm = true);

// A port as a row of the state spells it: "ADDR:HOST:GUEST[/udp]". Without an address host_address
// is empty: the VM's own loopback address. Throws Error(usage).
Port parse_port(std::string_view text);

// Ports as people ask for them: "HOST:GUEST[/udp]" at 127.0.0.1 and at the VM's own address, which
// makes two of each; "own:HOST:GUEST" at the latter alone, "ADDR:HOST:GUEST" at that one. HOST and
// GUEST are ports, or ranges of the same length ("8000-8010"). The VM's own is an empty
// host_address. Throws Error(usage).
std::vector<Port> parse_ports(std::string_view text);
// All that several such words ask for; what two of them ask for just so comes once.
std::vector<Port> merged(const std::vector<std::vector<Port>>& asked);

// The port's address as it is typed: "own" for an empty one.
std::string_view typed_address(const Port& port);
// The text from which parse_ports makes this port alone: "127.1.2.3:8080:80/udp", "own:8080:80". It
// does not say "/tcp".
std::string to_text(const Port& port);

// Ports of one kind and address whose numbers follow one another.
struct PortRun {
  Port first;
  int count = 1;
  std::string host() const;  // "8080", "8000-8010"
  std::string guest() const; // the same of the guest
};
std::vector<PortRun> runs_of(const std::vector<Port>& ports);
// "127.0.0.1:8080 -> 80/udp"
std::string to_text(const PortRun& run);

} // namespace banger

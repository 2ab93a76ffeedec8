// What is seen of packets of one flow on their way through this host, to and from a VM on a bridge.
// Pure; net/flow_watch.h looks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "model/vm.h"

namespace banger::net {

// Packets that were seen at each place, one way.
struct FlowCounts {
  uint64_t from_tap = 0;  // the VM sent it
  uint64_t begun = 0;     // the host itself sent it
  uint64_t entered = 0;   // it came to the host's IP, from whomever
  uint64_t taken = 0;     // it was for the host itself
  uint64_t forwarded = 0; // it was routed on, and came to the hook `forward`
  uint64_t passed = 0;    // it got through that hook
  uint64_t left = 0;      // it got through all hooks of IP
  uint64_t to_tap = 0;    // it was given to the VM
  bool operator==(const FlowCounts&) const = default;
};

// A chain that dropped or rejected a packet.
struct FlowDrop {
  std::string family, table, chain;
  uint64_t handle = 0; // of the rule, as `nft -a list chain` shows it; 0: the chain's policy did it
  bool operator==(const FlowDrop&) const = default;
};

struct FlowSeen {
  bool own_rules = false;      // both tables of the bridge are there
  FlowCounts there, back;      // to the address, and its answers
  std::vector<FlowDrop> drops; // each once, in their order
  bool operator==(const FlowSeen&) const = default;
};

// Throws Error(usage) for what is no flow; nothing that passes can be taken for a rule.
void check_flow(const Port& to);
// What stands in a watch's two tables, which are its process's own (nft(8), flag owner). `to`:
// protocol, address (host_address) and port (host) of the flow.
std::string watch_rules(const std::string& table, const std::string& tap, const Port& to);
// The counts of such a table, as nftables lists it as JSON, added.
void add_counts(const std::string& listed, FlowSeen& seen);

nlohmann::ordered_json to_json(const FlowSeen& seen);
// Throws Json::exception for another type.
FlowSeen flow_seen_of(const nlohmann::ordered_json& j);

} // namespace banger::net

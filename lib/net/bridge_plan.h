// The network `bridge` as plain values: a bridge in the host's own network namespace, the VMs on
// it, and how far each gets. Pure.
//
// Its plan names no link and no rule either (net/plan.h): whoever makes it true has more rights
// than whoever asks, and derives those from the state's tag (net/bridge_render.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "model/subnet.h"
#include "model/vm.h"

namespace banger {
class JsonText;
}

namespace banger::net {

// A VM on the bridge. Its MAC follows from its address (mac_of).
struct BridgeGuest {
  int tap = 0;              // N of bngTTTT-N, from 1
  std::string address = {}; // of the bridge's subnet
  bool nat = true;          // it goes out through the host's uplinks
  bool host_open = false;   // the host's own addresses are open to it, but for loopback
  // Ports of the host that lead to it, at an address of the host, at 0.0.0.0, or at its own
  // address.
  std::vector<Port> ports = {};
  bool operator==(const BridgeGuest&) const = default;
};

// A link that forwards to the bridge: one with a default route, by which guests go out, or one
// whose address has a published port. The helper turns forwarding on for it.
struct Uplink {
  std::string name;
  bool forwarded = false; // it was on already
  bool leads_out = true;
  bool operator==(const Uplink&) const = default;
};

// A chain of another's firewall that lets a bridge's packets pass by a rule of ours
// (net/firewalls.h).
struct Pass {
  enum class Way { iptables_nft, iptables_legacy, nftables, firewalld };
  Way way = Way::nftables;
  std::string family = {}, table = {}, chain = {}; // of firewalld none
  bool forwards = true;                            // else it takes what is for the host itself
  bool operator==(const Pass&) const = default;
};
std::string_view name_of(Pass::Way way);
// Throws Error(usage).
Pass::Way parse_way(std::string_view word);

// A bridge with all that is on it.
struct Bridge {
  std::string tag;
  Subnet subnet = {};
  std::vector<Uplink> uplinks = {};       // by name
  std::map<int, BridgeGuest> guests = {}; // by tap
  std::vector<Pass> passes = {};          // in others' firewalls
  bool operator==(const Bridge&) const = default;
};
std::vector<int> tap_numbers(const Bridge& bridge); // its guests'
// The names of the links by which they go out.
std::vector<std::string> ways_out(const Bridge& bridge);

// Changes with each change of the rules that a bridge has without guests: one with another number
// gets its tables anew.
inline constexpr int bridge_version = 2;

// The counts that the bridge's tables keep.
struct BridgeCounts {
  struct Drop {
    int tap = 0; // 0: of a guest that only its address tells
    std::string address;
    std::string reason; // of drop_reasons
    uint64_t packets = 0;
  };
  std::vector<Drop> drops;
  struct Out {
    std::string address;
    uint64_t packets = 0, bytes = 0;
  };
  std::vector<Out> out; // what left by NAT
};

// What a user other than root may have.
struct BridgeLimits {
  size_t bridges = 16;
  size_t guests = 4096, ports = 4096; // on each bridge; so that nobody fills the kernel's tables
  // The ranges of which bridges get subnets: other addresses may be of networks that the host
  // reaches by its default route, and only root may take them away from its users.
  std::vector<Prefix> subnets = {{{10u << 24 | 64u << 16}, 10}, {{100u << 24 | 64u << 16}, 10}};
  bool operator==(const BridgeLimits&) const = default;
};
// "10.64.0.0/10": a prefix of 8 to 24 bits of private addresses. Throws Error(usage).
Prefix parse_range(std::string_view text);

// A subnet for a bridge whose state has this tag: the first in the ranges that overlaps none of
// `used`, beginning at one that the tag decides. None where all are used.
std::optional<Subnet> choose_subnet(std::string_view tag, const std::vector<Prefix>& used,
                                    const std::vector<Prefix>& ranges = BridgeLimits().subnets);
bool is_in(const Subnet& subnet, std::span<const Prefix> ranges);
// 10/8, 172.16/12, 192.168/16 (RFC 1918) or 100.64/10 (RFC 6598): a bridge takes no address that is
// somebody's on the internet.
bool is_private(const Subnet& subnet);

// Throws for a guest that cannot be on that bridge, whatever else the host has: Error(usage) for
// what no banger asks for, Error(conflict) where another guest has its address or the bridge is
// full, Error(preflight) for a port of the host below 1024, where that is not `by_root`. Nothing
// that passes can be taken for a rule.
void check(const Bridge& bridge, const BridgeGuest& guest, bool by_root,
           size_t most_guests = BridgeLimits().guests);

// A whole number, as it stands: not one that is cut to fit, nor another type's. Throws
// Error(failed).
int whole_number(const nlohmann::ordered_json& value);
// The same of a member; 0 where there is none.
int whole_number(const nlohmann::ordered_json& object, const char* key);

nlohmann::ordered_json port_json(const Port& port);
Port port_of(const nlohmann::ordered_json& j);
nlohmann::ordered_json to_json(const BridgeGuest& guest);
// The same members, as text.
void add_members(JsonText& text, const BridgeGuest& guest);
// Throws Error(usage) for what no banger sends; Json::exception for another type.
BridgeGuest bridge_guest_of(const nlohmann::ordered_json& j);

} // namespace banger::net

// A plan as links and rules of nftables, for the program that makes it true. Pure.
//
//   bridge bng-TTTT ── tap bngTTTT-N       a VM each
//                   ── uplink bngTTTT-uN   its way out: the tap of a slirp4netns of its own
//                   ── uplink bngTTTT-up   one way out for all, in a network of a build before
//   table bridge banger_TTTT               who may send what
//   table inet banger_TTTT                 no packet comes from a tap itself
//
// The bridge has the subnet's first address, for the holder's relays (net/relay.h) and for the
// names that guests ask for (ops/dns/guests.h).
//
// The rules: through its tap a VM sends IPv4 and ARP only, from its own MAC and its own address
// (ARP's claims too); DHCP passes in no direction; nothing else passes. Drops are counted
// by tap and reason (but for IPv6 from an honest MAC, which every guest tries). At the bridge's own
// address ARP, echo, UDP, and TCP to port 53 arrive, where only the sockets of relays and of names
// listen; nothing that is for another place, so that nothing is ever routed there. Elements are
// added to sets, the table is never replaced while VMs run.
//
// Frames pass between a VM and its own way out, not another's. All ways out have the same MACs: the
// bridge learns none from them and sends a frame for one to all, and the rules let it through to
// one. Nor does a VM see a frame that is for another, where the bridge does not know whose it is.
//
// The way out is guarded: slirp4netns opens a guest's connections as a program of the host, and so
// would open them to the host itself. Through it a guest sends nothing to loopback, "this
// network", link-local (cloud metadata), multicast, reserved and broadcast addresses, nothing to
// the rest of its own subnet, to the resolver only DNS and echo, and nothing to an address of the
// host (net/host_addresses.h), but for a guest whose `host_open` is set. Answers of TCP pass to the
// host's addresses, because the clients of published ports may be there: slirp4netns begins no
// connection at a segment with ACK or RST. Each fragment has to pass by itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "net/plan.h"

namespace banger::net {

struct Link {
  // An uplink is there already: it is only attached, and the bridge learns nothing from it.
  enum class Kind { bridge, tap, uplink };
  Kind kind = Kind::tap;
  std::string name;
  std::string master = {}; // empty for the bridge itself
  // Of the bridge alone; empty: none. A MAC of its own, because else it has a tap's, and another
  // when that one goes.
  std::string mac = {}, address = {}; // "10.0.2.1/24"
  bool optional = false;              // an uplink that is not there is no failure
  int mtu = 0;                        // 0: it stays as it is; a bridge's is its ports' lowest
  std::optional<unsigned> owner = {}; // of a tap: who may open it; else this process's user
  unsigned group = 0;                 // ip-link(8); 0: none
  // Of a link in the host's namespace: it has no IPv6 at all, a bridge answers ARP for its own
  // address alone, not for the host's others, and a tap for none.
  bool mute = false;
  bool operator==(const Link&) const = default;
};

struct Rendered {
  std::vector<Link> present;       // made and brought up, in this order; what is there is taken
  std::vector<std::string> absent; // links that are removed first; absence is no failure
  std::string rules;               // in nft's language, one transaction; may be empty
  bool operator==(const Rendered&) const = default;
};

// Throws Error(usage) for a plan that no banger makes: a tag, MAC or address that is none, a tap's
// number that no name has room for. So nothing of it can be taken for a rule.
Rendered render(const NetPlan& plan);

// The table's set of the host's addresses, replaced in one transaction. Prefixes that overlap are
// merged.
std::string host_rules(const std::string& table, const std::vector<Prefix>& own);

} // namespace banger::net

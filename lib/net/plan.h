// What a network is made of, as plain values, apart from where it is made. Pure.
//
//   bridge bng-TTTT ── uplink bngTTTT-up   slirp4netns' tap: the way out
//                   ── tap bngTTTT-N       a VM each
//   table bridge banger_TTTT               who may send what
//
// The bridge has the subnet's first address, for the holder's relays (net/relay.h) alone.
//
// The rules: through its tap a VM sends IPv4 and ARP only, from its own MAC and its own address
// (ARP's claims too); DHCP passes in no direction; nothing else passes. What is dropped is counted
// by tap and reason (but for IPv6 from an honest MAC, which every guest tries). At the bridge's own
// address ARP, echo and UDP arrive, where only the relays' sockets listen; nothing that is for
// another place, so that nothing is ever routed there. Elements are added to sets, the table is
// never replaced while VMs run.
//
// The way out is guarded: slirp4netns opens a guest's connections as a program of the host, and so
// would open them to the host itself. Through the uplink a guest sends nothing to loopback, "this
// network", link-local (cloud metadata), multicast, reserved and broadcast addresses, nothing to
// the rest of its own subnet, to the resolver only DNS and echo, and nothing to an address of the
// host (net/host_addresses.h), but for a guest whose `host_open` is set. Answers of TCP pass to the
// host's addresses, because the clients of published ports may be there: slirp4netns begins no
// connection at a segment with ACK or RST. Each fragment has to pass by itself.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/subnet.h"
#include "model/vm.h"

namespace banger::net {

struct Link {
  enum class Kind { bridge, tap, uplink }; // an uplink is there already: it is only attached
  Kind kind = Kind::tap;
  std::string name;
  std::string master; // empty for the bridge itself
  // Of the bridge alone; empty: none. A MAC of its own, because else it has a tap's, and another
  // when that one goes.
  std::string mac = {}, address = {}; // "10.0.2.1/24"
  bool operator==(const Link&) const = default;
};

struct NetPlan {
  std::vector<Link> present;       // made and brought up, in this order; what is there is taken
  std::vector<std::string> absent; // links that are removed; absence is no failure
  std::string rules;               // in nft's language, one transaction; may be empty
  bool operator==(const NetPlan&) const = default;
};

// A VM's place in the network.
struct Guest {
  std::string tap, mac, address;
  bool host_open = false; // the host's own addresses are open to it
  bool operator==(const Guest&) const = default;
};

std::string bridge_name(std::string_view tag);
std::string uplink_name(std::string_view tag);
std::string tap_name(std::string_view tag, int n);
std::string table_name(std::string_view tag);

// The bridge and the table, without guests.
NetPlan base_plan(const std::string& tag, const Subnet& subnet);
// The bridge as it must be, and nothing else: for a holder that takes another's place.
NetPlan bridge_plan(const std::string& tag, const Subnet& subnet);
// The guard of the way out, made or brought up to date while VMs run; the set of the host's
// addresses stays as it is.
NetPlan guard_plan(const std::string& tag, const Subnet& subnet);
// Changes with each change of the guard: a network with another number gets the guard anew.
inline constexpr int guard_version = 1;
// What the table knows of the host's addresses, replaced in one transaction. Prefixes that overlap
// are merged.
std::string host_rules(const std::string& table, const std::vector<Prefix>& own);
// slirp4netns' tap, once it is there.
NetPlan uplink_plan(const std::string& tag);
NetPlan join_plan(const std::string& tag, const Guest& guest);
// Also for one that joined by half, or not at all.
NetPlan leave_plan(const std::string& tag, const Guest& guest);

// A port of the host that leads to one of a guest.
struct Forward {
  Port port;
  std::string guest; // its address
  bool operator==(const Forward&) const = default;
};
std::string to_text(const Forward& forward); // "127.1.2.3:8080/tcp to 10.0.2.4:80"

// Why a frame was dropped; each is a set of the table that counts by tap.
inline constexpr std::array<std::string_view, 6> drop_reasons{"mac",  "address",     "arp",
                                                              "dhcp", "destination", "other"};
std::string drop_set(std::string_view reason); // "dropped_mac"

struct Drop {
  std::string link;   // the tap, or the uplink
  std::string reason; // of drop_reasons
  uint64_t packets = 0;
  bool operator==(const Drop&) const = default;
};

} // namespace banger::net

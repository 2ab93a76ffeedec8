// A Bridge as links and rules of nftables. Pure.
//
//   bridge bng-TTTT        the subnet's first address; its guests' gateway
//     tap bngTTTT-N        a VM each, the user's own
//   table bridge banger_TTTT   who may send what; its hooks see every bridge of the host, and its
//                              rules touch frames of these taps alone
//   table inet banger_TTTT     how far guests get, and who gets to them
//
// From a tap a VM sends IPv4 and ARP only, from its own MAC and address, as on `user`.
//
// Guests reach one another, what the bridge's address offers (echo, names), and through an uplink
// the outside, masqueraded, where they are in the set `nat`. They do not reach the host's other
// networks, and the host itself only where they are in `host_open`, its loopback never. What was
// begun from the host or through an uplink is answered. From the host's other networks nobody
// reaches them.
//
// Ports are maps: an element each. A guest does not use another's published ports.
//
// A frame that gets to the host is stamped by the last of these rules, and only such a one gets in
// (net/link_guard.h): with the tables gone the bridge is closed, but for guests among themselves.
//
// Forwarding is on for the bridge and for its uplinks alone (net/bridge_plan.h), not for the host.
// An uplink whose forwarding was off before forwards to bridges of banger's, and nowhere else.
#pragma once

#include <string>
#include <string_view>

#include "net/bridge_plan.h"
#include "net/render.h"

namespace banger::net {

// Groups of links (ip-link(8)), which tell a bridge and its taps from others' links of those names:
// all taps of a bridge can be removed at once by theirs, and some of them by the one that those get
// before.
unsigned group_of(std::string_view tag);
unsigned going_group_of(std::string_view tag);
unsigned bridge_group_of(std::string_view tag);

Link bridge_link(const Bridge& bridge);
Link tap_link(const Bridge& bridge, int tap, unsigned owner);

// The chain of frames without whose rule none gets into the host (net/link_guard.h).
inline constexpr std::string_view stamps = "stamps";

// Both tables anew, with the elements of all guests, in one transaction.
std::string bridge_rules(const Bridge& bridge);
// One guest's elements, in tables that are there; `verb` is "add" or "delete".
std::string guest_elements(std::string_view verb, const std::string& tag, const BridgeGuest& guest);
// The set of the uplinks, replaced.
std::string uplink_rules(const Bridge& bridge);
// Both tables made absent.
std::string no_rules(const std::string& tag);

// What names_rules() is to be said of (net/rule_text.h): the bridge's taps alone.
std::string from_taps(const std::string& tag);

} // namespace banger::net

// Rules in nft's language that the tables of both kinds of network have alike. Pure.
#pragma once

#include <string>
#include <string_view>

namespace banger::net {

// Sets of a table of the bridge family: who may send what.
inline constexpr std::string_view sent_macs = "macs", sent_addresses = "addresses";

// Addresses to which no guest sends, whatever the host's are: "this network", loopback, link-local,
// multicast, reserved and broadcast (RFC 6890).
inline constexpr std::string_view never_out =
    "{ 0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/3 }";

// "add rule bridge TABLE CHAIN MATCH, count by tap, drop".
std::string drop_rule(std::string_view table, std::string_view chain, std::string_view match,
                      std::string_view reason);
// The set that a drop_rule counts in.
std::string counter_set(std::string_view table, std::string_view reason);
// The sets `macs` and `addresses`.
std::string sender_sets(std::string_view table);
// What they have of one tap; `verb` is add or delete.
std::string sender_elements(std::string_view verb, std::string_view table, std::string_view tap,
                            std::string_view mac, std::string_view address);
// The rules of chain `guest`: which frames a tap may send. It is there already.
std::string guest_rules(std::string_view table);
// In chain `chain`: a unicast frame leaves by the tap of its receiver alone. `links`: of which
// links that is true, as a match of oifname, or empty.
std::string receiver_rule(std::string_view table, std::string_view chain, std::string_view links);
// A chain of table inet TABLE, made or brought up to date. A bridge gives frames to
// 01:80:c2:00:00:0X to its own host, as from the tap, past its own hooks; no packet that is meant
// for that host comes from a tap, so all of those are dropped.
std::string tap_rules(std::string_view table, std::string_view tag);
// How often each guest may ask for names by UDP: its questions beyond that are dropped before they
// fill the socket that all ask at. Apart from the others, because a kernel may not have it; applied
// again it stays the same. `links`: of which links, as a match of iifname, or empty.
std::string names_rules(std::string_view table, std::string_view links = {});
// 52:54:00:00:00:00 and the like.
bool is_mac(std::string_view mac);
// A state's: 4 hex digits.
bool is_tag(std::string_view tag);

} // namespace banger::net

// A network as it shall be, as plain values: who is in it, and how far it has got. Pure.
//
// A plan names no link and no rule. The program that makes it true derives those from the state's
// tag (net/render.h), so a plan may come from a program with fewer rights, and means the same in
// the host's network namespace and in a private one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/subnet.h"
#include "model/vm.h"

namespace banger::net {

// A VM's place in the network.
struct Guest {
  int tap = 0;                        // N of bngTTTT-N, from 1
  std::string mac = {}, address = {}; // both empty: of a VM whose tap alone is known
  bool host_open = false;             // the host's own addresses are open to it
  bool own_way = false;               // it goes out by way_name(tap), which reaches it alone
  bool operator==(const Guest&) const = default;
};

struct NetPlan {
  // The bridge, its table and the guard of the way out.
  enum class Base {
    as_is, // not touched
    anew,  // made; a table that is there is replaced, and no guest is in it then
    kept,  // made as it must be, while the guests that are in it stay
  };
  std::string tag;
  Subnet subnet = {}; // of the base alone
  Base base = Base::as_is;
  bool uplink = false;                      // of a build before: one way out for all is there
  std::vector<Guest> leave = {}, join = {}; // in this order: a tap's number may be given anew
  std::vector<int> ways = {};               // of these taps: it is there, and is attached
  bool operator==(const NetPlan&) const = default;
};

NetPlan base_plan(const std::string& tag, const Subnet& subnet);
// For a holder that takes another's place.
NetPlan kept_plan(const std::string& tag, const Subnet& subnet);
// slirp4netns has made the way out of the guest with that tap.
NetPlan way_plan(const std::string& tag, int tap);
NetPlan join_plan(const std::string& tag, const Guest& guest);
// Also for one that joined by half, or not at all.
NetPlan leave_plan(const std::string& tag, const Guest& guest);

// Changes with each change of the base, and of what a holder makes true: a network with another
// number gets the base anew, and a holder of this build.
inline constexpr int guard_version = 5;

// The largest packet, in bytes: of a VM's tap and its way out, and what its guest is told. Measured
// (decision 11): three segments of TCP fit into the window that libslirp offers.
inline constexpr int mtu = 21'880;
// Of networks that do not say, and of those that a build before made.
inline constexpr int usual_mtu = 1'500;

std::string bridge_name(std::string_view tag);
std::string shared_way_name(std::string_view tag); // of networks that a build before made
std::string way_name(std::string_view tag, int tap);
std::string way_stem(std::string_view tag); // with which all their names begin, and no other
std::string tap_name(std::string_view tag, int n);
std::string table_name(std::string_view tag);
// As many as names have room for (15 characters).
inline constexpr int most_tap = 999'999;
// The N of a tap of this tag; none for another name.
std::optional<int> tap_number(std::string_view tag, std::string_view name);

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
  std::string link;   // the tap, or a way out
  std::string reason; // of drop_reasons
  uint64_t packets = 0;
  bool operator==(const Drop&) const = default;
};

} // namespace banger::net

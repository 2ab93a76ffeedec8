// The address plan of a shared network. Pure.
//
// In each subnet the same offsets are given away: .1 is the bridge's (the gateway on `bridge`; on
// `user` the sender of what published ports of UDP carry in), .2 the way out on `user`, .3 its
// resolver; .15 is where slirp4netns' DHCP begins and stays free, so that no lease of it can ever
// be a VM's address.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace banger {

// IPv4, in host byte order.
struct Address {
  uint32_t value = 0;
  auto operator<=>(const Address&) const = default;
};
// Throws Error(usage) that calls it `what` and quotes it; where it is part of what somebody typed,
// the `whole` of that.
Address parse_address(std::string_view what, std::string_view text, std::string_view whole = {});
std::string to_text(Address a);

// Addresses that begin with the same `length` bits; the other bits of `address` are zero.
struct Prefix {
  Address address;
  int length = 32;
  auto operator<=>(const Prefix&) const = default;
};
std::string to_text(const Prefix& p); // "192.168.1.0/24"
// Whether they have an address in common: one lies within the other then.
bool overlap(const Prefix& a, const Prefix& b);
// In order, and none within another.
std::vector<Prefix> merged(std::vector<Prefix> prefixes);

// "52:54:00:…": a guest's MAC follows from its address. A sender that knew another VM at that
// address (slirp4netns for ever, the neighbours for a minute) then sends to the right place; a
// guest that is only spoken to would never say that its MAC is another.
std::string mac_of(Address a);

class Subnet {
public:
  // "10.0.2.0/24"; prefixes from 16 to 25 (slirp4netns takes none longer). Throws Error(usage).
  static Subnet parse(std::string_view text);
  // That of a VM with this address and prefix.
  static Subnet around(const std::string& address, int prefix);

  int prefix() const { return prefix_; }
  std::string text() const;
  Prefix as_prefix() const { return {at(0), prefix_}; }
  Address bridge() const { return at(1); }
  Address way_out() const { return at(2); }
  Address resolver() const { return at(3); }
  bool contains(Address a) const;
  // Whether a VM may have it: none of the above, neither the first nor the last of the subnet.
  bool is_for_guests(Address a) const;
  // The lowest that is for guests and not in `taken`.
  std::optional<Address> lowest_free(const std::set<Address>& taken) const;
  bool operator==(const Subnet&) const = default;

private:
  Address at(uint32_t offset) const { return {base_ + offset}; }
  uint32_t base_ = 0;
  int prefix_ = 24;
};

} // namespace banger

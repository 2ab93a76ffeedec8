// Addresses beyond the host, for trying whether a guest gets there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/endpoint.h"

namespace banger::ops {

// A port of TCP on a host outside, which is an address of IPv4 or a name.
struct Outside {
  std::string host;
  int port = 0;
};

// "192.0.2.7:443", "example.com:443". Throws Error(usage).
Outside parse_outside(std::string_view text);
std::string to_text(const Outside& o);

// The address that a name has with this host's name servers, which a network's resolver asks for
// its guests, too; an address is its own. Takes seconds where no server answers. Throws
// Error(unreachable) with why there is none.
Address find_address(const std::string& host);

// What is likely to be there and to answer by TCP, the likeliest first: the host's name servers,
// and its gateways.
std::vector<Endpoint> likely_outside();

} // namespace banger::ops

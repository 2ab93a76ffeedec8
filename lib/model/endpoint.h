// An address of this host and a port of it: "127.0.0.1:42069". Pure.
#pragma once

#include <string>
#include <string_view>

#include "model/subnet.h"

namespace banger {

struct Endpoint {
  Address address;
  int port = 0;
  bool operator==(const Endpoint&) const = default;
};

// IPv4, a port from 1 to 65535. Throws Error(usage) that calls it `what`.
Endpoint parse_endpoint(std::string_view what, std::string_view text);
std::string to_text(const Endpoint& e);

} // namespace banger

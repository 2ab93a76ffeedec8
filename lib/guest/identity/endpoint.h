// Where and as whom a guest is spoken to over ssh. A plain value.
#pragma once

#include <string>

namespace banger::guest {

struct Endpoint {
  std::string address; // numeric, the host's way to the guest (Vm::reach)
  int port = 22;
  std::string user = "root";
  std::string identity; // path of the private key, OpenSSH's format, not encrypted
  std::string host_key; // the pinned "ssh-ed25519 AAAA…"
  bool operator==(const Endpoint&) const = default;
};

} // namespace banger::guest

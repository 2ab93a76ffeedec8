// The name servers that this host's own programs ask, as its resolv.conf has them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sys/file_identity.h"

namespace banger::dns {

// A name server: an address of IPv4 or IPv6, in numbers, followed by the link that it is reached by
// where it has one. "192.0.2.1", "fe80::1%eth0".
struct NameServer {
  std::string address;
  int port = 53;
  bool operator==(const NameServer&) const = default;
};

class HostServers {
public:
  static constexpr const char* usual_path = "/etc/resolv.conf";

  explicit HostServers(std::string path = usual_path) : path_(std::move(path)) {}

  // The servers as the file has them now. A stat(2) tells whether it has changed, and only then is
  // it read again. While it cannot be read, these are the servers of the last reading.
  const std::vector<NameServer>& now();

private:
  std::string path_;
  std::optional<sys::FileVersion> seen_;
  std::vector<NameServer> servers_;
};

// The first three of its lines "nameserver ADDRESS"; the host itself where it names none
// (resolv.conf(5)). Pure.
std::vector<NameServer> servers_of(std::string_view resolv_conf);

} // namespace banger::dns

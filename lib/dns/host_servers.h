// The name servers that this host's own programs ask, as its resolv.conf has them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sys/file_identity.h"

namespace banger::dns {

// Where others are asked: an address of IPv4 or IPv6, in numbers, with the link that it holds for
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

  // As they are now: the file is read again when it is another, which one look at it tells. While
  // it cannot be read, those of before.
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

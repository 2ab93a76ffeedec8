// The name servers that this host's own programs ask, as its resolv.conf has them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "model/endpoint.h"

namespace banger::dns {

class HostServers {
public:
  static constexpr const char* usual_path = "/etc/resolv.conf";

  explicit HostServers(std::string path = usual_path) : path_(std::move(path)) {}

  // As they are now: the file is read again when it is another, which one look at it tells. While
  // it cannot be read, those of before.
  const std::vector<Endpoint>& now();

private:
  using Identity = std::tuple<uint64_t, uint64_t, int64_t, int64_t>; // device, inode, size, time

  std::string path_;
  std::optional<Identity> seen_;
  std::vector<Endpoint> servers_;
};

// The first three of its lines "nameserver ADDRESS" with an address of IPv4; the host itself where
// it names none (resolv.conf(5)). Pure.
std::vector<Endpoint> servers_of(std::string_view resolv_conf);

} // namespace banger::dns

#include "dns/host_servers.h"

#include "core/error.h"
#include "core/text.h"
#include "sys/file.h"
#include "sys/inet.h"

namespace banger::dns {

namespace {

constexpr size_t most_servers = 3, most_bytes = size_t{64} << 10; // as libc takes

std::optional<std::string> server_of(std::string_view line) {
  constexpr std::string_view word = "nameserver";
  if (!line.starts_with(word)) return {};
  line.remove_prefix(word.size());
  if (line.empty() || (line[0] != ' ' && line[0] != '\t')) return {};
  line = trim(line);
  std::string address(line.substr(0, line.find_first_of(" \t#;")));
  return sys::is_address(address) ? std::optional(address) : std::nullopt;
}

} // namespace

std::vector<NameServer> servers_of(std::string_view resolv_conf) {
  std::vector<NameServer> servers;
  for (const std::string& line : split(resolv_conf, '\n')) {
    auto address = server_of(line);
    if (address && servers.size() < most_servers) servers.push_back({*address});
  }
  if (servers.empty()) servers.push_back({"127.0.0.1"});
  return servers;
}

const std::vector<NameServer>& HostServers::now() {
  try {
    auto there = sys::find_version(path_);
    if (!there) {
      if (servers_.empty()) servers_ = servers_of({});
      return servers_;
    }
    if (seen_ == there) return servers_;
    if (auto content = sys::find_content(path_, most_bytes)) {
      servers_ = servers_of(*content);
      seen_ = there;
    }
  } catch (const Error&) { // the servers of the last reading are the best that is known
  }
  return servers_;
}

} // namespace banger::dns

#include "ops/query/outside.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "dns/host_servers.h"
#include "dns/lookup.h"
#include "dns/name.h"
#include "sys/file.h"

namespace banger::ops {

namespace {

constexpr int dns_port = 53;
constexpr Millis patience{3'000};
// systemd-resolved's own servers, where programs are told to ask it.
constexpr const char* resolved_servers = "/run/systemd/resolve/resolv.conf";

bool is_address(std::string_view host) {
  return host.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool is_name(std::string_view host) {
  return !host.empty() && std::ranges::all_of(host, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
  });
}

std::vector<dns::NameServer> servers_in(const char* file) {
  return dns::servers_of(sys::find_content(file).value_or(""));
}

// The gateways of the host's default routes of IPv4, as /proc/net/route has them.
std::vector<std::string> host_gateways() {
  std::vector<std::string> all;
  for (const std::string& line : split(sys::find_content("/proc/net/route").value_or(""), '\n')) {
    std::vector<std::string> words = split(line, '\t');
    if (words.size() < 8 || words[1] != "00000000" || words[7] != "00000000") continue;
    auto by = static_cast<uint32_t>(std::strtoul(words[2].c_str(), nullptr, 16));
    if (by) all.push_back(to_text(Address{__builtin_bswap32(by)}));
  }
  return all;
}

} // namespace

Outside parse_outside(std::string_view text) {
  constexpr const char* what = "address outside";
  constexpr const char* form = "an address of IPv4, or a name, and a port, as in 192.0.2.7:443";
  const std::string shown = escape_for_terminal(text.substr(0, 80));
  if (std::ranges::count(text, ':') > 1)
    throw usage("invalid {} '{}': IPv6 is not probed, for VMs have none", what, shown).hint(form);
  size_t colon = text.find(':');
  if (colon == std::string_view::npos)
    throw usage("invalid {} '{}': no port", what, shown).hint(form);
  Outside o{std::string(text.substr(0, colon)), 0};
  if (!is_name(o.host))
    throw usage("invalid {} '{}': before its port stands no address and no name", what, shown)
        .hint(form);
  if (is_address(o.host))
    parse_address(what, o.host, text);
  else
    dns::parse_name(o.host);
  o.port = static_cast<int>(parse_number(what, text.substr(colon + 1), 1, 65535, text));
  return o;
}

std::string to_text(const Outside& o) { return fmt::format("{}:{}", o.host, o.port); }

Address find_address(const std::string& host) {
  if (is_address(host)) return parse_address("address", host);
  std::string why = "this host knows of no name server";
  for (const dns::NameServer& s : servers_in(dns::HostServers::usual_path)) {
    try {
      dns::Reply reply =
          dns::look_up(s.address, s.port, dns::parse_name(host), dns::Type::a, patience);
      for (const auto& record : reply.answer)
        if (record.type == "A") return parse_address("address", record.data);
      why = fmt::format("{} knows no address of '{}'", s.address, host);
      // Another server is for where one is no help, and not for another answer.
      if (reply.rcode == dns::Rcode::noerror || reply.rcode == dns::Rcode::nxdomain) break;
    } catch (const Error& e) {
      why = fmt::format("{} does not tell the address of '{}': {}", s.address, host, e.message());
    }
  }
  throw Error(Code::unreachable, why);
}

std::vector<Endpoint> likely_outside() {
  std::vector<std::string> texts;
  for (const char* file : {dns::HostServers::usual_path, resolved_servers})
    for (const dns::NameServer& s : servers_in(file)) texts.push_back(s.address);
  for (const std::string& gateway : host_gateways()) texts.push_back(gateway);
  std::vector<Endpoint> all;
  for (const std::string& text : texts) {
    try {
      Endpoint e{parse_address("address", text), dns_port};
      bool is_own = text.starts_with("127.") || text == "0.0.0.0";
      if (!is_own && std::ranges::count(all, e) == 0) all.push_back(e);
    } catch (const Error&) { // of IPv6
    }
  }
  return all;
}

} // namespace banger::ops

#include "net/bridge_plan.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <span>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "model/message.h"
#include "net/plan.h"

namespace banger::net {

namespace {

using Json = nlohmann::ordered_json;

constexpr int first_free_port = 1024;
// More than any state is seen to have; so that nobody fills the kernel's tables.
constexpr size_t most_guests = 4096, most_ports = 256;

// The networks of offices and homes, of Docker and of libvirt are mostly elsewhere.
constexpr Prefix for_users[] = {{{10u << 24 | 64u << 16}, 10}, {{100u << 24 | 64u << 16}, 10}};
constexpr uint32_t length = 24, in_each = 64 * 256;

Prefix nth(const Prefix& range, uint32_t n) {
  return {{range.address.value + (n % in_each << (32 - length))}, length};
}

bool is_in(const Subnet& subnet, std::span<const Prefix> ranges) {
  Prefix own = subnet.as_prefix();
  return std::ranges::any_of(
      ranges, [&](const Prefix& p) { return p.length <= own.length && overlap(p, own); });
}

} // namespace

std::optional<Subnet> choose_subnet(std::string_view tag, const std::vector<Prefix>& used) {
  uint32_t begin = 0;
  std::from_chars(tag.data(), tag.data() + tag.size(), begin, 16);
  for (const Prefix& range : for_users)
    for (uint32_t n = 0; n < in_each; n++) {
      Prefix candidate = nth(range, begin + n);
      auto is_used = [&](const Prefix& p) { return overlap(p, candidate); };
      if (std::ranges::none_of(used, is_used)) return Subnet::parse(to_text(candidate));
    }
  return {};
}

bool is_private(const Subnet& subnet) {
  constexpr Prefix ranges[] = {{{10u << 24}, 8},
                               {{172u << 24 | 16u << 16}, 12},
                               {{192u << 24 | 168u << 16}, 16},
                               {{100u << 24 | 64u << 16}, 10}};
  return is_in(subnet, ranges);
}

bool is_for_users(const Subnet& subnet) { return is_in(subnet, for_users); }

namespace {

void check(const Port& p, const std::string& own, bool by_root) {
  if (p.proto != "tcp" && p.proto != "udp") throw usage("invalid protocol '{}'", p.proto);
  for (int port : {p.host, p.guest})
    if (port < 1 || port > 65535) throw usage("invalid port {}:{}", p.host, p.guest);
  // As it stands in a rule: "127.0.0.01" is another's spelling.
  if (to_text(parse_address("address", p.host_address)) != p.host_address)
    throw usage("invalid address '{}'", p.host_address);
  if (!by_root && p.host_address != own && p.host < first_free_port)
    throw preflight("cannot publish port {}: those below {} are root's", p.host, first_free_port);
}

} // namespace

void check(const Bridge& b, const BridgeGuest& g, bool by_root) {
  if (g.tap < 1 || g.tap > most_tap) throw usage("invalid number of a tap {}", g.tap);
  Address address = parse_address("address", g.address);
  if (!b.subnet.is_for_guests(address) || to_text(address) != g.address)
    throw usage("invalid address '{}': it is not one for VMs of {}", g.address, b.subnet.text());
  if (b.guests.size() >= most_guests && !b.guests.contains(g.tap))
    throw conflict("cannot take another VM: {} are on the bridge", b.guests.size());
  for (const auto& [tap, other] : b.guests)
    if (tap != g.tap && other.address == g.address)
      throw conflict("{} is the address of another VM", g.address);
  if (g.ports.size() > most_ports) throw usage("invalid list of {} ports", g.ports.size());
  for (size_t i = 0; i < g.ports.size(); i++) {
    const Port& p = g.ports[i];
    check(p, g.address, by_root);
    for (size_t k = 0; k < i; k++)
      if (g.ports[k].proto == p.proto && g.ports[k].host_address == p.host_address &&
          g.ports[k].host == p.host)
        throw usage("invalid list of ports: {}:{} is in it twice", p.host_address, p.host);
  }
}

int whole_number(const Json& value) {
  // All within 64 bits are held exactly; larger ones as floating point.
  bool is_whole =
      value.is_number_unsigned()
          ? value.get<uint64_t>() <= uint64_t{std::numeric_limits<int>::max()}
          : value.is_number_integer() && value.get<int64_t>() >= std::numeric_limits<int>::min();
  if (!is_whole) throw unreadable_message();
  return static_cast<int>(value.get<int64_t>());
}

int whole_number(const Json& object, const char* key) {
  auto at = object.find(key);
  return at == object.end() ? 0 : whole_number(*at);
}

Json port_json(const Port& p) {
  return {
      {"proto", p.proto}, {"host_address", p.host_address}, {"host", p.host}, {"guest", p.guest}};
}

Port port_of(const Json& j) {
  return {j.value("proto", ""), j.value("host_address", ""), whole_number(j, "host"),
          whole_number(j, "guest")};
}

Json to_json(const BridgeGuest& g) {
  Json ports = Json::array();
  for (const Port& p : g.ports) ports.push_back(port_json(p));
  return {{"tap", g.tap},
          {"address", g.address},
          {"nat", g.nat},
          {"host_open", g.host_open},
          {"ports", ports}};
}

BridgeGuest bridge_guest_of(const Json& j) {
  BridgeGuest g{.tap = whole_number(j, "tap"),
                .address = j.value("address", ""),
                .nat = j.value("nat", false),
                .host_open = j.value("host_open", false)};
  for (const Json& p : j.value("ports", Json::array())) g.ports.push_back(port_of(p));
  return g;
}

} // namespace banger::net

#include "net/bridge_plan.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "model/json_text.h"
#include "model/message.h"
#include "net/plan.h"

namespace banger::net {

namespace {

using Json = nlohmann::ordered_json;

constexpr int first_free_port = 1024;
constexpr size_t most_ports = 256; // of a VM
// The networks of offices and homes, of Docker and of libvirt are mostly elsewhere than in the
// ranges of BridgeLimits.
constexpr int length = 24;
constexpr Prefix private_ranges[] = {{{10u << 24}, 8},
                                     {{172u << 24 | 16u << 16}, 12},
                                     {{192u << 24 | 168u << 16}, 16},
                                     {{100u << 24 | 64u << 16}, 10}};

Prefix nth(const Prefix& range, uint32_t n) {
  uint32_t in_it = 1u << (length - range.length);
  return {{range.address.value + (n % in_it << (32 - length))}, length};
}

} // namespace

std::vector<std::string> ways_out(const Bridge& bridge) {
  std::vector<std::string> names;
  for (const Uplink& u : bridge.uplinks)
    if (u.leads_out) names.push_back(u.name);
  return names;
}

std::vector<int> tap_numbers(const Bridge& bridge) {
  std::vector<int> taps;
  for (const auto& [tap, guest] : bridge.guests) taps.push_back(tap);
  return taps;
}

bool is_in(const Subnet& subnet, std::span<const Prefix> ranges) {
  Prefix own = subnet.as_prefix();
  return std::ranges::any_of(
      ranges, [&](const Prefix& p) { return p.length <= own.length && overlap(p, own); });
}

Prefix parse_range(std::string_view text) {
  size_t slash = text.find('/');
  Prefix range{parse_address("subnet", text.substr(0, slash), text), 0};
  std::string_view digits = slash == text.npos ? "" : text.substr(slash + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), range.length);
  if (to_text(range) != text || range.length < 8 || range.length > length ||
      (range.address.value & (~0u >> range.length)) != 0)
    throw usage("invalid subnet '{}': it is not like 10.64.0.0/10, of 8 to {} bits", text, length);
  if (std::ranges::none_of(private_ranges, [&](const Prefix& p) {
        return p.length <= range.length && overlap(p, range);
      }))
    throw usage("invalid subnet '{}': its addresses may be somebody's on the internet", text);
  return range;
}

std::optional<Subnet> choose_subnet(std::string_view tag, const std::vector<Prefix>& used,
                                    const std::vector<Prefix>& ranges) {
  uint32_t begin = 0;
  std::from_chars(tag.data(), tag.data() + tag.size(), begin, 16);
  for (const Prefix& range : ranges)
    for (uint32_t n = 0; n < 1u << (length - range.length); n++) {
      Prefix candidate = nth(range, begin + n);
      auto is_used = [&](const Prefix& p) { return overlap(p, candidate); };
      if (std::ranges::none_of(used, is_used)) return Subnet::parse(to_text(candidate));
    }
  return {};
}

bool is_private(const Subnet& subnet) { return is_in(subnet, private_ranges); }

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

void check(const Bridge& b, const BridgeGuest& g, bool by_root, size_t most_guests) {
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

void add_members(JsonText& text, const Port& p) {
  text.add("proto", p.proto);
  text.add("host_address", p.host_address);
  text.add("host", p.host);
  text.add("guest", p.guest);
}

Json port_json(const Port& p) {
  JsonText text;
  add_members(text, p);
  return Json::parse(text.take());
}

Port port_of(const Json& j) {
  return {j.value("proto", ""), j.value("host_address", ""), whole_number(j, "host"),
          whole_number(j, "guest")};
}

void add_members(JsonText& text, const BridgeGuest& g) {
  text.add("tap", g.tap);
  text.add("address", g.address);
  text.add("nat", g.nat);
  text.add("host_open", g.host_open);
  text.open_list("ports");
  for (const Port& p : g.ports) {
    text.open_item();
    add_members(text, p);
    text.close();
  }
  text.close_list();
}

Json to_json(const BridgeGuest& g) {
  JsonText text;
  add_members(text, g);
  return Json::parse(text.take());
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

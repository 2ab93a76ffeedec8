#include "net/bridge_plan.h"

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace banger::net {

namespace {

using Json = nlohmann::ordered_json;

// 10.64.0.0/10: the networks of offices and homes, of Docker and of libvirt are mostly elsewhere.
constexpr uint32_t first = 10u << 24 | 64u << 16, length = 24, how_many = 64 * 256;

Prefix nth(uint32_t n) { return {{first + (n % how_many << (32 - length))}, length}; }

} // namespace

std::optional<Subnet> choose_subnet(std::string_view tag, const std::vector<Prefix>& used) {
  uint32_t begin = 0;
  std::from_chars(tag.data(), tag.data() + tag.size(), begin, 16);
  for (uint32_t n = 0; n < how_many; n++) {
    Prefix candidate = nth(begin + n);
    auto is_in = [&](const Prefix& p) { return overlap(p, candidate); };
    if (std::none_of(used.begin(), used.end(), is_in)) return Subnet::parse(to_text(candidate));
  }
  return {};
}

bool is_private(const Subnet& subnet) {
  constexpr Prefix ranges[] = {{{10u << 24}, 8},
                               {{172u << 24 | 16u << 16}, 12},
                               {{192u << 24 | 168u << 16}, 16},
                               {{100u << 24 | 64u << 16}, 10}};
  Prefix own = subnet.as_prefix();
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [&](const Prefix& p) { return p.length <= own.length && overlap(p, own); });
}

Json port_json(const Port& p) {
  return {
      {"proto", p.proto}, {"host_address", p.host_address}, {"host", p.host}, {"guest", p.guest}};
}

Port port_of(const Json& j) {
  return {j.value("proto", ""), j.value("host_address", ""), j.value("host", 0),
          j.value("guest", 0)};
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
  BridgeGuest g{.tap = j.value("tap", 0),
                .address = j.value("address", ""),
                .nat = j.value("nat", false),
                .host_open = j.value("host_open", false)};
  for (const Json& p : j.value("ports", Json::array())) g.ports.push_back(port_of(p));
  return g;
}

} // namespace banger::net

#include "net/flow.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "model/subnet.h"
#include "net/listed.h"

namespace banger::net {

namespace {

using Json = nlohmann::ordered_json;

// Before and after all chains that people make.
constexpr int first = -2'000'000'000, last = 2'000'000'000;
// What the host itself sends has its last address then: ports are published by DNAT.
constexpr int after_dnat = -99;

struct Place {
  const char *name, *family, *hook;
  int priority;
  uint64_t FlowCounts::*count;
};
constexpr std::array<Place, 8> places{{
    {"from_tap", "bridge", "prerouting", first, &FlowCounts::from_tap},
    {"to_tap", "bridge", "postrouting", last, &FlowCounts::to_tap},
    {"entered", "inet", "prerouting", first, &FlowCounts::entered},
    {"taken", "inet", "input", first, &FlowCounts::taken},
    {"begun", "inet", "output", after_dnat, &FlowCounts::begun},
    {"forwarded", "inet", "forward", first, &FlowCounts::forwarded},
    {"passed", "inet", "forward", last, &FlowCounts::passed},
    {"left", "inet", "postrouting", last, &FlowCounts::left},
}};

// Of two ways: which link of the bridge it comes from or goes to.
std::string link_of(const Place& place, const std::string& tap) {
  if (place.count == &FlowCounts::from_tap) return fmt::format("iifname \"{}\" ", tap);
  if (place.count == &FlowCounts::to_tap) return fmt::format("oifname \"{}\" ", tap);
  return {};
}

} // namespace

void check_flow(const Port& to) {
  if (to.proto != "tcp" && to.proto != "udp") throw usage("invalid protocol '{}'", to.proto);
  if (to.host < 1 || to.host > 65535) throw usage("invalid port {}", to.host);
  if (to_text(parse_address("address", to.host_address)) != to.host_address)
    throw usage("invalid address '{}'", to.host_address);
}

std::string watch_rules(const std::string& table, const std::string& tap, const Port& to) {
  std::string r;
  for (const char* family : {"bridge", "inet"})
    r += fmt::format("add table {} {} {{ flags owner; }}\n", family, table);
  for (const Place& place : places) {
    r += fmt::format("add chain {} {} {} {{ type filter hook {} priority {}; policy accept; }}\n",
                     place.family, table, place.name, place.hook, place.priority);
    for (bool back : {false, true})
      r += fmt::format("add rule {} {} {} {}ip {} {} {} {} {} counter meta nftrace set 1 comment "
                       "\"{}\"\n",
                       place.family, table, place.name, link_of(place, tap),
                       back ? "saddr" : "daddr", to.host_address, to.proto,
                       back ? "sport" : "dport", to.host, back ? "back" : "there");
  }
  return r;
}

void add_counts(const std::string& listed, FlowSeen& seen) {
  each_listed(listed, "rule", [&](const nlohmann::json& rule) {
    auto place = std::ranges::find_if(
        places, [&](const Place& p) { return rule.value("chain", "") == p.name; });
    if (place == places.end()) return;
    FlowCounts& way = rule.value("comment", "") == "back" ? seen.back : seen.there;
    for (const nlohmann::json& part : rule.value("expr", nlohmann::json::array()))
      if (part.contains("counter"))
        way.*(place->count) += part.value("/counter/packets"_json_pointer, uint64_t{0});
  });
}

Json to_json(const FlowSeen& seen) {
  auto counts = [](const FlowCounts& way) {
    Json j = Json::object();
    for (const Place& place : places) j[place.name] = way.*(place.count);
    return j;
  };
  Json drops = Json::array();
  for (const FlowDrop& d : seen.drops)
    drops.push_back(
        {{"family", d.family}, {"table", d.table}, {"chain", d.chain}, {"handle", d.handle}});
  return {{"rules", seen.own_rules},
          {"there", counts(seen.there)},
          {"back", counts(seen.back)},
          {"drops", drops}};
}

FlowSeen flow_seen_of(const Json& j) {
  FlowSeen seen;
  seen.own_rules = j.value("rules", false);
  auto read = [&](const char* key, FlowCounts& way) {
    Json counts = j.value(key, Json::object());
    for (const Place& place : places) way.*(place.count) = counts.value(place.name, uint64_t{0});
  };
  read("there", seen.there);
  read("back", seen.back);
  for (const Json& d : j.value("drops", Json::array()))
    seen.drops.push_back({d.value("family", ""), d.value("table", ""), d.value("chain", ""),
                          d.value("handle", uint64_t{0})});
  return seen;
}

} // namespace banger::net

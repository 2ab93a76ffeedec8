#include <nlohmann/json.hpp>

#include "net/listed.h"
#include "net/rules.h"

namespace banger::net {

namespace {

using Json = nlohmann::json;

// Calls `count(value, packets, bytes)` with each element of a set that has counted something.
template <typename Count>
void each_count(const Json& set, Count&& count) {
  if (!set.contains("elem")) return;
  for (const Json& entry : set["elem"]) {
    if (!entry.is_object() || !entry.contains("elem")) continue;
    const Json& e = entry["elem"];
    uint64_t packets = e.value("/counter/packets"_json_pointer, uint64_t{0});
    if (packets)
      count(e.value("val", ""), packets, e.value("/counter/bytes"_json_pointer, uint64_t{0}));
  }
}

// Calls `look(reason, value, packets)` with each count of a drop.
template <typename Look>
void each_drop(const std::string& json, Look&& look) {
  each_listed(json, "set", [&](const Json& set) {
    std::string name = set.value("name", "");
    for (std::string_view reason : drop_reasons)
      if (name == drop_set(reason))
        each_count(set, [&](const std::string& value, uint64_t packets, uint64_t) {
          look(std::string(reason), value, packets);
        });
  });
}

} // namespace

std::vector<Drop> parse_drops(const std::string& json) {
  std::vector<Drop> drops;
  each_drop(json, [&](const std::string& reason, const std::string& link, uint64_t packets) {
    drops.push_back({link, reason, packets});
  });
  return drops;
}

BridgeCounts read_counts(const std::string& frames, const std::string& packets,
                         std::string_view tag) {
  BridgeCounts counts;
  each_drop(frames, [&](const std::string& reason, const std::string& link, uint64_t n) {
    counts.drops.push_back({tap_number(tag, link).value_or(0), {}, reason, n});
  });
  each_drop(packets, [&](const std::string& reason, const std::string& address, uint64_t n) {
    counts.drops.push_back({0, address, reason, n});
  });
  each_listed(packets, "set", [&](const Json& set) {
    if (set.value("name", "") != "nat") return;
    each_count(set, [&](const std::string& address, uint64_t n, uint64_t bytes) {
      counts.out.push_back({address, n, bytes});
    });
  });
  return counts;
}

} // namespace banger::net

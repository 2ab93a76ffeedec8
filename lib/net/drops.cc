#include <nlohmann/json.hpp>

#include "net/rules.h"

namespace banger::net {

namespace {

using Json = nlohmann::json;

void add_set(std::vector<Drop>& drops, const Json& set) {
  std::string name = set.value("name", "");
  for (std::string_view reason : drop_reasons) {
    if (name != drop_set(reason) || !set.contains("elem")) continue;
    for (const Json& entry : set["elem"]) {
      if (!entry.is_object() || !entry.contains("elem")) continue;
      const Json& e = entry["elem"];
      uint64_t packets = e.value("/counter/packets"_json_pointer, uint64_t{0});
      if (packets) drops.push_back({e.value("val", ""), std::string(reason), packets});
    }
  }
}

} // namespace

std::vector<Drop> parse_drops(const std::string& json) {
  std::vector<Drop> drops;
  Json all = Json::parse(json, nullptr, false);
  if (!all.is_object() || !all.contains("nftables")) return drops;
  for (const Json& object : all["nftables"])
    if (object.contains("set")) add_set(drops, object["set"]);
  return drops;
}

} // namespace banger::net

// What nftables lists as JSON (libnftables-json(5)).
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace banger::net {

// Calls `look` with each object of that kind: "chain", "rule", "set". Nothing for text that is
// none.
template <typename Look>
void each_listed(const std::string& listed, const char* kind, Look&& look) {
  auto all = nlohmann::json::parse(listed, nullptr, false);
  if (!all.is_object() || !all.contains("nftables")) return;
  for (const nlohmann::json& object : all["nftables"])
    if (object.contains(kind)) look(object[kind]);
}

} // namespace banger::net

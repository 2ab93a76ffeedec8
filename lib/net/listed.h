// What nftables lists as JSON (libnftables-json(5)).
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace banger::net {

// Calls `look` with the kind ("chain", "rule", "set") of each object, and the object, which is
// look's to change. Nothing for text that is none.
template <typename Look>
void each_object(const std::string& listed, Look&& look) {
  auto all = nlohmann::json::parse(listed, nullptr, false);
  if (!all.is_object() || !all.contains("nftables")) return;
  for (nlohmann::json& object : all["nftables"])
    for (auto& [kind, value] : object.items()) look(kind, value);
}

// The same with each object of that kind.
template <typename Look>
void each_listed(const std::string& listed, const char* kind, Look&& look) {
  each_object(listed, [&](const std::string& its, const nlohmann::json& object) {
    if (its == kind) look(object);
  });
}

} // namespace banger::net

// What banger-helper grants: its own defaults, and what root says otherwise in
// /etc/banger/helper.toml (man/banger-helper.toml.5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "disk/mapping.h"
#include "net/bridge_plan.h"

namespace banger::helper {

// All but `requests` are for users other than root.
struct Limits {
  bool from_file = false; // else none of these was said by anybody
  // Who may use the helper, of those who can start it; both empty: all of them.
  std::vector<std::string> users = {}, groups = {};
  size_t requests = 128; // of one user, at work or waiting at once
  net::BridgeLimits bridge = {};
  disk::MapLimits disk = {};
  bool operator==(const Limits&) const = default;
};

inline constexpr const char* limits_file = "/etc/banger/helper.toml";

// The content of such a file. Throws Error(preflight) that names `path` and the line: what cannot
// be read as a whole grants nothing.
Limits parse_limits(std::string_view text, const std::string& path);
// That of the file; the defaults where there is none. Throws Error(preflight) for one that another
// than root may have written, too.
Limits read_limits();

nlohmann::ordered_json to_json(const Limits& limits);
// Throws Json::exception, Error(usage).
Limits limits_of(const nlohmann::ordered_json& j);

} // namespace banger::helper

#include "bundle/show.h"

#include <nlohmann/json.hpp>

#include "bundle/runtime_dir.h"
#include "core/error.h"
#include "core/text.h"

namespace banger::bundle {

FoundBundle find_runtime_bundle(const Settings& settings, const Dirs& dirs) {
  RuntimeDir dir = runtime_dir(settings, dirs);
  return {load_bundle(dir.path), dir.origin};
}

std::pair<std::string, std::string> bundle_build_dir(const Settings& settings, const Dirs& dirs) {
  RuntimeDir dir = build_dir(settings, dirs);
  return {dir.path, dir.origin};
}

nlohmann::ordered_json bundle_object(const FoundBundle& found) {
  nlohmann::ordered_json parts = nlohmann::ordered_json::array();
  for (const Part& p : found.bundle.parts)
    parts.push_back({{"name", p.name}, {"file", p.file}, {"size", p.size}, {"sha256", p.sha256}});
  return {{"path", found.bundle.path},
          {"origin", found.origin},
          {"name", found.bundle.name},
          {"arch", found.bundle.arch},
          {"parts", parts}};
}

std::vector<std::string> part_names(const Bundle& bundle) {
  std::vector<std::string> names;
  for (const Part& p : bundle.parts) names.push_back(p.name);
  return names;
}

void verify_bundle_part(const Bundle& bundle, const std::string& part) {
  const Part* found = bundle.find_part(part);
  if (!found)
    throw not_found("the bundle has no part '{}'", escape_for_terminal(part))
        .subject(part)
        .hint("parts: " + join(part_names(bundle), ", "));
  verify_part(bundle, *found);
}

} // namespace banger::bundle

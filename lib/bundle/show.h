// A bundle as people and programs see it, and whether it is whole.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "bundle/bundle.h"
#include "model/settings.h"

namespace banger::bundle {

struct FoundBundle {
  Bundle bundle;
  std::string origin; // bundle/runtime_dir.h
};

// The bundle that VMs are made from. Error(preflight) if there is none.
FoundBundle find_runtime_bundle(const Settings& settings, const Dirs& dirs);
// Where `bundle build` puts one, and the origin that it has then.
std::pair<std::string, std::string> bundle_build_dir(const Settings& settings, const Dirs& dirs);

// The wire object `bundle` (contract.md): path origin name arch parts[{name,file,size,sha256}].
nlohmann::ordered_json bundle_object(const FoundBundle& found);
std::vector<std::string> part_names(const Bundle& bundle);
// Reads the whole part; throws what verify_part does, Error(not_found) for an unknown name.
void verify_bundle_part(const Bundle& bundle, const std::string& part);

} // namespace banger::bundle

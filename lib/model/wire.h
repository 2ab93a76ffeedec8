// The objects that go over standard output with --json (schemas: share/schema), as ordered JSON or
// its text, without "kind" and "v", which cli adds.
//
// Sizes are bytes, times RFC 3339 UTC or null, durations seconds.
#pragma once

#include <optional>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "model/event.h"
#include "model/image.h"
#include "model/settings.h"
#include "model/vm.h"

namespace banger {

using Json = nlohmann::ordered_json;

// The room that a VM's disks take on the host, looked up only to be shown; absent, it is null.
struct DiskUse {
  std::optional<int64_t> root, work;
};
// `zone`: where it has its name (model/zone.h).
std::string to_text(const Vm& vm, const Dirs& dirs, std::string_view zone,
                    const DiskUse& used = {});
// `stale`: the package list it was built from is no longer the tree's; none where that is unknown.
Json to_json(const Image& image, const Dirs& dirs, std::optional<bool> stale);
Json to_json(const Event& event);

} // namespace banger

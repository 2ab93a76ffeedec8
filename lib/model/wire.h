// The objects that go over standard output with --json (schemas: share/schema), as ordered JSON
// without "kind" and "v", which cli adds.
//
// Sizes are bytes, times RFC 3339 UTC or null, durations seconds.
#pragma once

#include <optional>

#include <nlohmann/json.hpp>

#include "model/event.h"
#include "model/image.h"
#include "model/settings.h"
#include "model/vm.h"

namespace banger {

using Json = nlohmann::ordered_json;

// `root_used` is looked up by whoever wants it shown; absent, it is null.
Json to_json(const Vm& vm, const Dirs& dirs, std::optional<int64_t> root_used);
// `stale`: the package list it was built from is no longer the tree's; none where nobody knows.
Json to_json(const Image& image, const Dirs& dirs, std::optional<bool> stale);
Json to_json(const Event& event);
Json to_json(const Port& port);

} // namespace banger

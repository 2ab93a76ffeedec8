// Firecracker as it is installed on this host.
#pragma once

#include <expected>
#include <string>

#include "model/settings.h"
#include "state/state.h"
#include "vmm/firecracker_versions.h"

namespace banger::ops {

struct FoundFirecracker {
  std::string path;
  vmm::FirecrackerVersion version;
};
// Firecracker, or why it cannot be used: it is absent, too old, or tells no version. Its program is
// run once for each identity of its file, where `verdicts` may be written.
std::expected<FoundFirecracker, std::string> find_firecracker(const Settings& settings,
                                                              state::State* verdicts);

} // namespace banger::ops

// Changes a VM's properties.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ops/common/context.h"
#include "ops/vm/reached.h"

namespace banger::ops {

struct VmChange {
  std::optional<int> cpus;
  std::optional<int64_t> memory, disk, work_disk; // bytes; disks grow, file system and all
  std::optional<NetMode> net;
  std::vector<LimitChange> limits;
  Labels labels;                    // set, or set anew
  std::vector<std::string> unlabel; // keys; an absent one is no failure

  bool needs_stopped() const { return cpus || memory || disk || work_disk || net; }
};

// Labels change on any VM, limits on one that does not run and on one that is ready, the rest only
// on a VM that does not run (Error(conflict) else). Limits of a VM that runs are in force when this
// returns. A value that the VM has already is no change. Throws Error(usage) for a value that no VM
// can have, Error(preflight) for a network that this host has not; then no property was changed.
Reached set_vm(Context& ctx, const std::string& ref, const VmChange& change);

} // namespace banger::ops

// The snapshots of VMs, for people and scripts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "disk/snapshot.h"
#include "model/snapshot.h"
#include "model/wire.h"
#include "ops/common/context.h"

namespace banger::ops {

struct SeenSnapshot {
  Snapshot snapshot;
  std::string vm; // its name
  std::string dir;
  std::optional<disk::SavedMachine> machine; // none where its manifest cannot be read
  std::string fault;                         // why; empty where there is none
  int64_t used = 0;                          // bytes of its files on the disk
};

// By VM in their order, the oldest first.
std::vector<SeenSnapshot> find_snapshots(Reader& in, const std::vector<Vm>& vms);

Json to_json(const SeenSnapshot& seen);

} // namespace banger::ops

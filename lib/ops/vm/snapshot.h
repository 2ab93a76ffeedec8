// Snapshots of a VM: its memory and its disks at one moment, kept beside it until they are removed,
// or the VM is.
#pragma once

#include <optional>
#include <string>

#include "model/snapshot.h"
#include "ops/common/context.h"
#include "ops/vm/reached.h"
#include "ops/vm/start.h"

namespace banger::ops {

struct MadeSnapshot {
  Snapshot snapshot;
  std::string vm;   // its name
  Millis still{0};  // how long the guest stood still for it
  int64_t used = 0; // bytes that it takes on the disk, where nothing of it is shared
};

// The VM runs, or is paused on request, and is so afterwards. Whole or not at all; interrupted, the
// guest goes on. Without a name it is "snapshot1", or the next number. Throws Error(conflict) for a
// VM that does not run, is stopped meanwhile, or has a snapshot of that name, Error(preflight)
// where there is no room.
MadeSnapshot make_snapshot(Context& ctx, const std::string& ref,
                           const std::optional<std::string>& name);

// The VM, which is stopped, runs again as it did when the snapshot was made: with its memory, its
// disks, cpus, memory and address as they were then, its clock set right. What is on its disks now
// is lost. It waits as start_vm() does. Throws Error(not_found) for an unknown snapshot,
// Error(failed) for one that is damaged, Error(conflict) where its address is another VM's now,
// Error(preflight) where what it ran on is missing; then nothing was changed. Until its guest goes
// on, whatever ends the restore leaves the VM as it was, with its disks: the VMM that refuses the
// memory, a kill, a crash. Then the next command sees to it, at the latest.
Reached restore_snapshot(Context& ctx, const std::string& ref, const std::string& name,
                         StartOptions options);

// Error(not_found) for an unknown one.
void remove_snapshot(Context& ctx, const std::string& ref, const std::string& name);

} // namespace banger::ops

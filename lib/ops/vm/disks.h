// A VM's disks: their files, and how they grow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ops/common/context.h"
#include "ops/common/places.h"
#include "ops/vm/hold.h"

namespace banger::ops {

// In the guest's order: vda, vdb, … (ops/monitor/disks.h).
std::vector<std::string> disk_files(const Places& places);

// Throws Error(failed), with a way to mend it, for a disk that holds no whole file system. A guest
// can write anything to its disks.
void require_file_systems(const Places& places, const Vm& vm);

// Records the sizes of its disks where a verb that grew them died before it had recorded them: a
// disk never shrinks. Returns the row as it is then. The caller holds op.lock.
Vm record_sizes(Context& ctx, const Places& places, const Vm& vm);

// An upper layer or copy-on-write file that no guest has written to yet is made again if the host
// was booted since the VM was made: until its first start it is not known to be on the disk.
void renew_blank_root(Context& ctx, const Places& places, const Vm& vm);

// Grows the root disk (of an overlay its upper layer) and the work disk; their file systems follow
// when the VM is next booted (grow_disk of disk/ext4.h). A size that they have already is no
// failure. The VM, which the caller holds, is stopped; its row is then as it is in the state.
// Throws Error(conflict) with a hint when it has no work disk, Error(usage) for a smaller size, and
// then neither disk was touched. Interrupted, each disk has its old size or its new one.
void grow_disks(Context& ctx, HeldVm& held, std::optional<int64_t> disk,
                std::optional<int64_t> work);

} // namespace banger::ops

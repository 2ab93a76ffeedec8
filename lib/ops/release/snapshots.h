// Where a VM's snapshots lie, and what commands on them that were interrupted have left.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "disk/snapshot.h"
#include "ops/common/context.h"
#include "ops/common/places.h"

namespace banger::ops {

std::string snapshot_dir(const Places& places, const std::string& snapshot_id);
// A snapshot's directory while it is made: the name says so, to doctor too.
std::string half_made_snapshot(const Places& places);
// Where a VMM writes a guest's memory, by the link vmm::saved_dir: a directory that stays, so that
// a confined VMM may be allowed it before.
std::string memory_dir(const Places& places);
void clear_memory_dir(const Places& places);
// Held by the verb that makes one. It does not hold op.lock, so that its VM can be stopped.
std::string snapshot_lock(const Places& places);
// Bytes that the files of a snapshot take on the disk, what is shared counted whole.
int64_t used_by_snapshot(const std::string& dir);
// The VM's own disks: an image below an overlay stays as it is.
std::vector<std::string> own_disks(const Places& places);
// The name of a disk in a directory of disks.
std::string file_name(const std::string& path);

// A restore takes the disks of a snapshot for the VM's. Until its guest goes on from its memory,
// State::before_restore() has the VM of before, its disks lie in a directory of their own with a
// manifest of its machine, and whatever ends the restore sooner brings all that back.
//
// A disk of a snapshot that is to take the place of `disk`, which lies in the VM's directory:
std::string restored_disk(const std::string& disk);
std::string before_restore_dir(const Places& places);
// The guest's network is a part of its memory. Throws Error(conflict) where it cannot have it
// again. The caller owns the transaction and writes the row.
void give_network(Context& ctx, const disk::SavedMachine& machine, Vm& vm);
void take_sizes(const disk::SavedMachine& machine, Vm& vm);

// Directories of whole snapshots in a VM's, of which no row tells: one was interrupted, or is just
// being made. Those that are named as banger's own are, and none where others have theirs too.
std::vector<std::string> unknown_snapshots(Reader& in, const std::string& vm_dir,
                                           const std::string& vm_id);

// Removes directories of snapshots that no row tells of, unless one is being made, and what is left
// of a restore that is over. One that cannot be removed is told in the log alone. The caller holds
// op.lock.
void settle_snapshots(Context& ctx, const Places& places, const Vm& vm);
// Takes back a restore whose guest has not gone on, decided or not. The caller holds op.lock, and
// the VM does not run. Returns the row as it is then.
Vm settle_restore(Context& ctx, const Places& places, const Vm& vm);

} // namespace banger::ops

// How a VM's guest gets its disks.
//
// The guest's /dev/vda is its root: a file of its own (reflink, copy), a device over the image
// (dm-snapshot), or the image's, read-only and shared, with /dev/vdb as the upper layer (overlay).
// A work disk comes after those.
#pragma once

#include <vector>

#include "guest/identity/seed.h"
#include "ops/common/places.h"
#include "vmm/machine.h"

namespace banger::ops {

// Whether the VM's guest has a file system of its own that is smaller than its disk, and must grow.
bool has_room_to_grow(const Places& places);

// The VM's disks as its VMM has them, in the guest's order. Each file of an overlay root has the
// limit of the root.
std::vector<vmm::Disk> disks_of(const Places& places, const RateLimits& limits);
// The same, with the VM's limits; describes them in the seed too.
std::vector<vmm::Disk> disks_of(const Places& places, const Vm& vm, guest::Seed& seed);

} // namespace banger::ops

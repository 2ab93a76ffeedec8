// How a VM's guest gets its disks.
//
// The guest's /dev/vda is its root: a file of its own (reflink, copy), or the image's, read-only
// and shared, with /dev/vdb as the upper layer (overlay). A work disk comes after those.
#pragma once

#include <vector>

#include "guest/identity/seed.h"
#include "ops/common/places.h"
#include "vmm/machine.h"

namespace banger::ops {

// Whether its guest has a file system to grow: one of its own that is smaller than its disk.
bool has_room_to_grow(const Places& places);

// Links its disks into the runtime directory and tells the seed what they are.
std::vector<vmm::Disk> link_disks(const Places& places, const Vm& vm, guest::Seed& seed);

} // namespace banger::ops

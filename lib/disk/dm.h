// The acts on a mapped root disk (disk/mapping.h), by libdevmapper. For root; they know of nothing
// but their plan, open the files themselves, and look at what they opened.
//
// Killed at any point, each can be done again, and leaves no loop device that nothing stands on.
#pragma once

#include "disk/mapping.h"

namespace banger::disk {

// Throws Error(preflight) that says what is missing, where disks cannot be mapped here. Loads the
// kernel's modules.
void require_device_mapper();

// Maps the disk: one read-only loop device on the image for all that stand on it, one on the
// copy-on-write file, and the device over them. One of that identity that is there is made anew.
// Throws Error(conflict) where the name or the copy-on-write file is another's.
Mapped attach(const MapPlan& plan);

// Takes the device away. One that is not there, or has another identity, is no failure: then it is
// not there. Throws where others have it open; it waits for them for a while.
void detach(const Mapping& mapping);

} // namespace banger::disk

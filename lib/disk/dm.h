// The acts on a mapped root disk (disk/mapping.h), by libdevmapper. For root; what they work on was
// opened, and looked at, by whoever calls them, and one call at a time is made for an image.
//
// Killed at any point, each can be done again, and leaves no loop device that nothing stands on.
#pragma once

#include <functional>
#include <string>

#include <sys/types.h>

#include "disk/cow.h"
#include "disk/mapping.h"

namespace banger::disk {

// Throws Error(preflight) that says what is missing, where disks cannot be mapped here. Loads the
// kernel's modules.
void require_device_mapper();

struct Attach {
  Mapping mapping;
  int image = -1, cow = -1; // open, for reading and for both
  std::string image_name, cow_name;
  CowLayout layout = {};
  uid_t owner = 0; // who may open the node
  // Called at last before the kernel reads the copy-on-write file; ends the work by throwing.
  std::function<void()> before_reading = [] {};
};
// Maps the disk: one read-only loop device on the image for all that stand on it, one on the
// copy-on-write file, and the device over them. Throws Error(conflict) where a device of the name
// is there, or another stands on the copy-on-write file, Error(failed) for a file that the kernel
// must not read (check_store of disk/cow.h).
Mapped attach(const Attach& what);
// Throws that Error(conflict) of a name.
void require_unmapped(const Mapping& mapping);
// Whether a device of that identity is there.
bool is_mapped(const Mapping& mapping);

// Takes the device away, and first its node: nobody who kept that can open what gets the device's
// number next. One that is not there, or has another identity, is no failure: then it is not there.
// Throws where others have it open; it waits for them for a while.
void detach(const Mapping& mapping);

} // namespace banger::disk

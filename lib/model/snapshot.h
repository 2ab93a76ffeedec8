// A snapshot of a VM: its memory and its disks at one moment. A plain value.
#pragma once

#include <string>

#include "core/clock.h"

namespace banger {

struct Snapshot {
  std::string id; // of its directory, too
  std::string vm; // the VM's id
  std::string name;
  std::string image_id; // that the VM stood on then, and stands on again when it is restored
  WallTime created;
  // None of the user's, but what the VM was before a restore whose guest has not gone on yet: its
  // disks take their place again, and it stands on its image, unless that happens.
  bool restoring = false;
};

} // namespace banger

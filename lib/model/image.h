// An image: a root file system that VMs are made from. Immutable once ready.
#pragma once

#include <cstdint>
#include <string>

#include "core/clock.h"

namespace banger {

struct Image {
  std::string id, name;
  bool ready = false;        // false: an import is under way, or died
  int64_t size = 0;          // of the file system, bytes
  int64_t used = 0;          // on the host's disk, bytes
  std::string sha256;        // of root.ext4, 64 hex digits
  std::string source;        // where it came from, for people: "bundle debian", a path
  std::string packages_hash; // sha256 of the package manifest it was built with; may be empty
  WallTime created;
  int vms = 0; // how many VMs stand on it
};

} // namespace banger

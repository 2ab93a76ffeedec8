// The root disk of a VM: a file of its own, made from its image.
//
// Ways: `reflink` shares the image's extents where the file system can; `copy` copies the data and
// keeps the holes. Both give a plain ext4 file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/vm.h"

namespace banger::disk {

struct RootPlan {
  RootWay way = RootWay::copy;
  std::string from, to;
  int64_t size = 0;  // of the new disk, bytes
  int64_t needs = 0; // bytes of free space it takes at once
  bool operator==(const RootPlan&) const = default;
};

// What the place can do, found beforehand.
struct RootFacts {
  bool can_clone = false;
  int64_t image_size = 0;
  int64_t image_allocated = 0;
};

// Throws Error(preflight) when the way that was asked for is not possible there, Error(usage) when
// `size` is less than the image's.
RootPlan plan_root(std::optional<RootWay> want, std::optional<int64_t> size, const RootFacts& facts,
                   std::string from, std::string to);

// Makes the disk, 0600, synced. On failure nothing is left.
void make_root(const RootPlan& plan);

} // namespace banger::disk

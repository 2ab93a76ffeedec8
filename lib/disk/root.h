// The root disk of a VM: a file of its own, made from its image.
//
// Ways: `reflink` shares the image's extents where the file system can; `copy` copies the data and
// keeps the holes. Both give an ext4 file that is the root. Of the others the image is a part, so
// it must stay: `dm-snapshot` gives a copy-on-write file (disk/cow.h), `overlay` an empty ext4
// file, the upper layer. Where the disk is to be larger than its image, the file system grows when
// it is first booted (grow_disk of disk/ext4.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/vm.h"

namespace banger::disk {

struct RootPlan {
  RootWay way = RootWay::copy;
  std::string from, to;
  int64_t size = 0;  // of the new file, bytes
  int64_t needs = 0; // bytes of free space it takes at once
  // A directory where empty upper layers are kept, one a size: making a file system takes longer
  // than all else that a VM is made of, and copying an empty one next to nothing. Empty: none kept.
  std::string blanks;
  bool operator==(const RootPlan&) const = default;
};

// The abilities and sizes that plan_root decides by, found beforehand.
struct RootFacts {
  bool can_clone = false;
  int64_t image_size = 0;
  int64_t image_allocated = 0;
};

// Without a wish: reflink where that can be, else overlay. Throws Error(preflight) when the way
// that was asked for is not possible there, Error(usage) when `size` is less than the image's (of
// an overlay, less than a file system's least).
RootPlan plan_root(std::optional<RootWay> want, std::optional<int64_t> size, const RootFacts& facts,
                   std::string from, std::string to);

// Makes the disk, 0600. On failure nothing is left. It is synced, but for an empty upper layer or
// copy-on-write file: that is nobody's data, and can be made again after a crash of the host.
void make_root(const RootPlan& plan);

} // namespace banger::disk

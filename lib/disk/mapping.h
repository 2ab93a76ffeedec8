// A root disk as device-mapper shows it: the image below, and a VM's copy-on-write file over it
// (disk/cow.h). Plain values.
//
// The device's identity is device-mapper's uuid: its name (model/host_object.h) and a random word,
// so that the device of another state, copied from this one, is never taken for it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace banger::disk {

struct Mapping {
  std::string tag, id;  // the state's, the VM's
  std::string identity; // new_mapping_identity()'s
  bool operator==(const Mapping&) const = default;
};

// Its name. Throws Error(usage) unless tag and id are hex digits, 4 and 12, and the identity is of
// that name, with no more than letters, digits and '-' behind it: nothing else is named by who
// asks.
std::string valid_mapping(const Mapping& mapping);
std::string new_mapping_identity(std::string_view tag, std::string_view id);

// To be mapped. Which files it is of follows from the ids.
struct MapPlan {
  Mapping mapping;
  std::string state_dir; // absolute, without links in it
  std::string image;     // its id
  // Below state_dir. Throw Error(usage) for what is no id.
  std::string image_file() const;
  std::string cow_file() const;
  bool operator==(const MapPlan&) const = default;
};

struct Mapped {
  std::string node;
  bool revived = false; // what the VM had written last was lost: revive_cow of disk/cow.h
  bool operator==(const Mapped&) const = default;
};

// Bytes of an image that can be mapped: what the kernel does when it reads what was written over it
// is bounded by them (check_store of disk/cow.h).
inline constexpr int64_t most_mapped = int64_t{256} << 30;

// What a user other than root may have. The kernel takes up to 1/128 of an image's size of memory
// for one that was written over whole.
struct MapLimits {
  size_t disks = 64;
  int64_t size = int64_t{64} << 30;   // bytes of a disk
  int64_t total = int64_t{256} << 30; // bytes of all his
  bool operator==(const MapLimits&) const = default;
};

} // namespace banger::disk

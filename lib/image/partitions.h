// The partition table of a raw disk: GPT, or MBR with its logical partitions.
//
// Layouts: UEFI specification 2.10, section 5.3 (GPT); for MBR the four entries at byte 446 and the
// chain of extended boot records. Sectors are 512 bytes. What lies outside of the disk is not
// listed. Reads by offset, changes nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace banger::image {

struct Partition {
  int number = 0;               // as Linux counts them
  int64_t offset = 0, size = 0; // bytes
  bool linux = false;           // marked as a Linux file system's
  bool operator==(const Partition&) const = default;
};

// None if there is no partition table. `size` is the disk's; `name` is for errors.
std::optional<std::vector<Partition>> find_partitions(int fd, int64_t size,
                                                      const std::string& name);

// The one with that number, or the largest of Linux's. Throws Error(not_found) that lists what
// there is.
Partition root_partition(const std::vector<Partition>& partitions, std::optional<int> number,
                         const std::string& name);

} // namespace banger::image

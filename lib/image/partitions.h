// The partition table of a raw disk, GPT or MBR with its logical partitions, read by libblkid.
//
// A partition outside of the disk is not listed: with one in its MBR, the disk counts as cut short.
// Reads by offset, changes nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace banger::image {

struct Partition {
  int number = 0;               // as Linux counts them
  int64_t offset = 0, size = 0; // bytes
  bool linux = false;           // marked as a Linux file system's
  std::string_view type = {};   // "swap", where it is marked as what can be no root; for people
  bool operator==(const Partition&) const = default;
};

// A table's partitions; empty if there is no table. Several readings where the table does not tell
// whether its sectors have 512 bytes or 4096, as an MBR does not, the likelier first. `size` is the
// disk's; `name` is for errors. Error(failed) for a GPT that makes no sense, or a disk cut short.
std::vector<std::vector<Partition>> find_partitions(int fd, int64_t size, const std::string& name);

// The one with that number, or the largest of Linux's. Throws Error(not_found) that lists what
// there is.
Partition root_partition(const std::vector<Partition>& partitions, std::optional<int> number,
                         const std::string& name);

// The kind of file system or volume in a part of a disk, if it is one that people have and that
// banger does not boot from as it is: "an XFS file system".
struct ForeignContent {
  std::string name;
  bool has_files = true; // or it is swap space
};
std::optional<ForeignContent> foreign_content(int fd, int64_t offset, int64_t size);

} // namespace banger::image

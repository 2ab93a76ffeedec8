// The content of a file, device or stream, told by its bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace banger::image {

// As much of a stream's begin as tells its kind.
inline constexpr size_t head_size = size_t{1} << 20;

// Whether a tar begins so: its first header has the sum that it says. Pure.
bool is_tar(std::string_view head);

// Whether a disk may begin so: with an ext4 file system or a boot sector, as a partition table has.
// 2 KiB tell. Pure.
bool may_be_disk(std::string_view head);

// Whether it is one: there is an ext4 file system, or a partition table.
bool is_disk(int fd, int64_t size);

// Where in a disk a file system lies, in bytes.
struct Place {
  int64_t offset = 0, size = 0;
  std::string name; // for errors: "'disk.raw'", "partition 1 of 'disk.raw'"
};

// The root's: that of an ext4 file system itself, or of the partition `partition`, else the largest
// of Linux's. None where it is no disk. Throws Error(usage) for a partition of a disk without any,
// Error(not_found) where there is no such partition, Error(failed) for one that holds another file
// system or is cut short.
std::optional<Place> find_root(int fd, int64_t size, std::optional<int> partition,
                               const std::string& name);

// Throws Error(failed) that says what it is and what would help, if it is known and no image can
// be made of it as it is: a disk in a form of its own, another file system, an archive of another
// kind. `what` is quoted already.
void refuse_known(int fd, int64_t offset, int64_t size, const std::string& what);

} // namespace banger::image

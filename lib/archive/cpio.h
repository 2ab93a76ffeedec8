// cpio archives in the "newc" form that the kernel unpacks as an initramfs.
//
// Guarantees: the bytes depend on the entries alone (times and owners are 0, inode numbers count
// up), every parent directory of an entry is in the archive before it (0755 unless it was given),
// and the archive is complete, with its trailer and padded to a multiple of 4 bytes. Pure.
//
// Written with libarchive, whose newc writer links statically without other libraries.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace banger::archive {

struct CpioEntry {
  std::string path;    // relative, no "." or "..", no empty component
  mode_t mode = 0;     // type and permissions: S_IFREG | 0644, S_IFDIR | 0755, S_IFLNK | 0777
  std::string content; // of a file; of a link its target; of a directory empty
  bool operator==(const CpioEntry&) const = default;
};

// Throws Error(failed) for a path that is not as above, or that comes twice.
std::string cpio_archive(const std::vector<CpioEntry>& entries);

} // namespace banger::archive

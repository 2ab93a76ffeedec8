// What an image can be made from, told by its first bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace banger::image {

enum class SourceKind { ext4, disk, tar, directory };

struct Source {
  SourceKind kind = SourceKind::tar;
  std::string path; // "-" is standard input, which is a tar
  // Of ext4 and disk: where in the file the root file system lies.
  int64_t offset = 0, size = 0;
};

// Throws Error(not_found) if it is not there, Error(usage) for --partition of what has none, and
// Error(failed) for what is known and cannot be taken (a qcow2, a disk without a usable root).
Source look_at_source(const std::string& path, std::optional<int> partition);

} // namespace banger::image

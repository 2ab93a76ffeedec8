// An entry of a file tree in a tar, as archive/tree.h reads it. A plain value.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

namespace banger::archive {

// Where a file has data.
struct TreeExtent {
  int64_t offset = 0, length = 0;
  bool operator==(const TreeExtent&) const = default;
};

struct TreeEntry {
  std::string path;
  mode_t mode = 0; // type and permissions
  uint32_t uid = 0, gid = 0;
  int64_t mtime = 0; // seconds since the epoch
  uint32_t mtime_ns = 0;
  int64_t size = 0;
  unsigned major = 0, minor = 0; // of a device
  std::string target;            // of a symbolic link, or the path that a hard link shares
  bool hard_link = false;
  std::map<std::string, std::string> attributes; // extended
  // Of a file with holes, as its tar says: nothing of it is checked. None: the file has no holes.
  std::vector<TreeExtent> extents;
};

} // namespace banger::archive

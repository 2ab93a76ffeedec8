// The file tree in a tar from anywhere, entry by entry: plain, or packed with gzip, xz, zstd or
// bzip2, told by its first bytes. No other program is ever run for it.
//
// Paths are relative and plain: no leading "./" or "/", no trailing "/", "" for the tree's root. A
// path with ".." is Error(failed), and so is an archive that is cut short or damaged. A symbolic
// link's target is as it was written; what a hard link shares is a path like the others. Nothing
// here touches the file system.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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

// A piece of a file's content; between pieces are holes.
struct TreeChunk {
  int64_t offset = 0;
  std::string_view data;
};

class TreeReader {
public:
  // The descriptor stays the caller's; `name` is for errors. Throws Error(failed) for what is no
  // tar.
  TreeReader(int fd, std::string name);
  TreeReader(TreeReader&&) noexcept;
  ~TreeReader();

  // The next entry; none at the end.
  std::optional<TreeEntry> next();
  // The current entry's next piece, valid until the next call; none at its end.
  std::optional<TreeChunk> chunk();

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace banger::archive

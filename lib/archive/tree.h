// The file tree in a tar from anywhere, entry by entry: plain, or packed with gzip, xz, zstd or
// bzip2, told by its first bytes. No other program is ever run for it.
//
// Paths are relative and plain: no leading "./" or "/", no trailing "/", "" for the tree's root. A
// path with ".." is Error(failed), and so is an archive that is cut short or damaged. A symbolic
// link's target is as it was written; what a hard link shares is a path like the others. Nothing
// here touches the file system.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "archive/tree_entry.h"

namespace banger::archive {

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

// A tree of files on its way from one place to another, entry by entry: out of a directory, an
// archive, an ext4 file system or a guest, and into one.
//
// Paths are plain: relative, no "." or "..", no empty component, no "/" at either end, no NUL; ""
// is the tree's root. Names are bytes. A directory comes before what is in it where its source says
// so; sinks that need it make missing ones.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

#include "model/acl.h"

namespace banger {

// The longest path and name that Linux takes, in bytes, without the NUL.
inline constexpr size_t longest_path = 4095, longest_name = 255;

// Where a file has data.
struct Extent {
  int64_t offset = 0, length = 0;
  bool operator==(const Extent&) const = default;
};

// A piece of a file's content, valid until the next one is asked for. Pieces come with rising
// offsets; gaps between them are zeros.
struct Chunk {
  int64_t offset = 0;
  std::string_view data;
};
// The next piece; none at the end.
using ChunkSource = std::function<std::optional<Chunk>()>;

struct FileMeta {
  mode_t mode = 0; // type and permissions
  uint32_t uid = 0, gid = 0;
  int64_t mtime = 0; // seconds since the epoch, rounded down
  uint32_t mtime_ns = 0;
  std::map<std::string, std::string> attributes{}; // extended: "security.capability", …
  bool operator==(const FileMeta&) const = default;

  mode_t permissions() const { return mode & 07777; }
  // The time in nanoseconds since the epoch; it must be within 292 years of that.
  int64_t time_ns() const { return mtime * 1'000'000'000 + mtime_ns; }
};

struct TreeEntry : FileMeta {
  std::string path{};
  bool hard_link = false;        // another name of `target`, whatever the mode says
  std::string target{};          // of a symbolic link as it is; of a hard link a path of the tree
  int64_t size = 0;              // of a file
  std::vector<Extent> data{};    // where a file is no hole: ascending, apart, not empty
  unsigned major = 0, minor = 0; // of a device
  // Of an archive that names users and groups without their ids; else both are attributes.
  std::vector<AclEntry> acl{}, default_acl{};
  bool operator==(const TreeEntry&) const = default;

  bool is_dir() const { return !hard_link && S_ISDIR(mode); }
  bool is_file() const { return !hard_link && S_ISREG(mode); }
  bool is_symlink() const { return !hard_link && S_ISLNK(mode); }
};

// `path` made plain: "./a//b/" is "a/b", "." is ""; none for one that is absolute or empty, has
// ".." or NUL, or is too long, itself or a name in it.
std::optional<std::string> plain_path(std::string_view path);

} // namespace banger

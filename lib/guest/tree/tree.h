// A tree of files on its way from one place to another: entries in order, each with its content,
// out of a source (a disk, a guest's tar) into a sink (the same).
//
// Paths are plain: relative, no "." or "..", no empty or overlong name, no NUL; "" is the root, a
// directory, a file or a link. Sources keep to that whatever they read, so that sinks can rely on
// it. Permissions are the lower 12 bits. Devices, sockets and FIFOs are left out by sources and
// counted.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace banger::guest {

struct Extent {
  int64_t offset, length;
  bool operator==(const Extent&) const = default;
};

struct TreeEntry {
  enum class Type { file, directory, symlink, hard_link };
  Type type = Type::file;
  std::string path;
  mode_t mode = 0644;
  int64_t mtime_ns = 0;
  unsigned uid = 0, gid = 0;
  std::string target;       // of a symbolic link as it is; of a hard link a path of this tree
  int64_t size = 0;         // of a file
  std::vector<Extent> data; // where a file is no hole: ascending, apart, not empty, within size
  bool operator==(const TreeEntry&) const = default;
};

// The most that a file may be in; one that has more holes is taken as having none.
inline constexpr size_t most_extents = 100'000;
inline constexpr size_t longest_path = 4095, longest_name = 255;

class TreeSource {
public:
  virtual ~TreeSource() = default;
  // The next entry; none at the end.
  virtual std::optional<TreeEntry> next() = 0;
  // The current file's data, extent after extent; 0 at the end of it.
  virtual size_t read(std::span<char> buffer) = 0;
  // Things that a copy cannot hold.
  virtual size_t left_out() const = 0;
};

class TreeSink {
public:
  virtual ~TreeSink() = default;
  virtual void entry(const TreeEntry& entry) = 0;
  // As much as entry.data says, in order, before the next entry.
  virtual void data(std::string_view bytes) = 0;
  // All was there. Without it nothing of a fresh copy stays.
  virtual void finish() = 0;
};

struct CopyTotals {
  int64_t files = 0, bytes = 0; // data that moved
  size_t left_out = 0;
};
// Moves everything but the last step, sink.finish(): whoever calls knows whether the source is to
// be believed. `moved` is called now and then.
void copy_tree(TreeSource& source, TreeSink& sink, CopyTotals& totals,
               const std::function<void()>& moved);

// `path` made plain ("./a//b/" is "a/b", "." is ""); none for what may not be.
std::optional<std::string> plain_path(std::string_view path);

} // namespace banger::guest

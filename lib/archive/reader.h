// The file tree in a tar, entry by entry, wherever its bytes come from (archive/sources.h).
//
// Paths are plain (model/tree.h): a leading "./" or "/" goes. A path with "..", or longer than
// Linux takes, is Error(failed), and so is an archive that is damaged or cut short, wherever: the
// end of a tar must be marked, and nothing but zeros may follow it. A symbolic link's target is as
// it was written; a hard link's is a path like the others. Of a map of holes only the order is
// checked, nothing further. Names are bytes whatever the locale. Nothing here touches the file
// system.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "archive/pull.h"
#include "model/tree.h"

namespace banger::archive {

class Reader {
public:
  // A tar that is not packed. With `relative`, a path that begins with "/" is an error, too: no
  // program that was asked for a tree here has such.
  enum class Paths { any, relative };
  Reader(Pull pull, std::string name, Paths paths = Paths::any);
  // A tar, packed or not, from a descriptor that stays the caller's.
  static Reader of_file(int fd, const std::string& name);
  // The file tree of a Debian package.
  static Reader of_package(const std::string& path);
  Reader(Reader&&) noexcept;
  ~Reader();

  // The next entry; none at the end.
  std::optional<TreeEntry> next();
  // The current entry's next piece; none at its end.
  std::optional<Chunk> chunk();
  // All of the current entry's content, its holes filled; none of it was read yet. Error(failed)
  // for more than `max` bytes.
  std::string content(size_t max = size_t{1} << 30);

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace banger::archive

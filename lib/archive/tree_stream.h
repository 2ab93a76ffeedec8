// File trees as plain tars that pass by: from another program's tar, which may send anything, and
// to one. In bounded memory, and names are bytes whatever the locale. Nothing here touches the file
// system.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "archive/tree.h"

namespace banger::archive {

class TreeStreamReader {
public:
  // Waits for bytes; 0 at the end. What it throws comes out of next() or chunk().
  using Pull = std::function<size_t(std::span<char>)>;
  // `name` is for errors.
  TreeStreamReader(Pull pull, std::string name);
  ~TreeStreamReader();
  TreeStreamReader(const TreeStreamReader&) = delete;
  TreeStreamReader& operator=(const TreeStreamReader&) = delete;

  // The next entry; none at the tar's end, which must be marked as one, and behind which the pull
  // may have more. Error(failed) for what is damaged, cut short, or no tar.
  std::optional<TreeEntry> next();
  // As TreeReader's.
  std::optional<TreeChunk> chunk();

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

enum class TarForm {
  pax, // times to the nanosecond (whole seconds before 1970), holes as GNU tar's form 1.0
  gnu  // long names as GNU tar's, which busybox knows; whole seconds, holes are zeros
};

class TreeStreamWriter {
public:
  using Sink = std::function<void(std::string_view)>;
  TreeStreamWriter(Sink sink, TarForm form);
  ~TreeStreamWriter();
  TreeStreamWriter(const TreeStreamWriter&) = delete;
  TreeStreamWriter& operator=(const TreeStreamWriter&) = delete;

  // `extents` of a file as TreeEntry has them; what chunks bring must lie in them.
  void entry(const TreeEntry& entry);
  // Of the last entry's content, in order; what is left out is zeros.
  void chunk(const TreeChunk& chunk);
  // The end of the tar. Without it the tar is broken, and meant to be seen so.
  void finish();

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace banger::archive

// A file tree as a plain tar that passes by, to another program or a file. In bounded memory; names
// are bytes whatever the locale. Nothing here touches the file system.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "model/tree.h"

namespace banger::archive {

enum class TarForm {
  pax, // times to the nanosecond (whole seconds before 1970), holes as GNU tar's form 1.0
  gnu  // long names as GNU tar's, which busybox knows; whole seconds, holes are zeros
};

class Writer {
public:
  using Sink = std::function<void(std::string_view)>;
  Writer(Sink sink, TarForm form);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Its attributes are left out. The chunks that follow must lie in its data.
  void entry(const TreeEntry& entry);
  // Of the last entry's content, in order; a range that is left out is zeros.
  void chunk(const Chunk& chunk);
  // The end of the tar. Without it the tar is broken, and meant to be seen so.
  void finish();

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace banger::archive

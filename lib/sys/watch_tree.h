// Changes anywhere below a directory (inotify), directories that come later included. It tells only
// that something changed: the caller then looks at all of it, so that nothing is missed when the
// kernel drops events, or a directory fills before it is watched.
#pragma once

#include <map>
#include <string>

#include "core/handle.h"

namespace banger::sys {

class TreeWatch {
public:
  // Throws Error(preflight) where the user's inotify watches are used up.
  explicit TreeWatch(std::string root);

  // Readable when something changed.
  int fd() const { return fd_.get(); }
  // Takes what is there; true if something changed. Throws Error(not_found) when the root is gone.
  bool take();

private:
  void add(const std::string& top);

  std::string root_;
  Fd fd_;
  std::map<int, std::string> paths_; // by watch
};

} // namespace banger::sys

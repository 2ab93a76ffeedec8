// A directory tree, entry by entry, for reading.
//
// Symbolic links are told, never followed, and the file system that the tree begins on is never
// left. Directories come before what is in them, names are in order. However deep a tree is, a few
// descriptors are open; one whose paths are longer than Linux takes (4095 bytes) is Error(failed).
// Error says which path.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include <sys/stat.h>

namespace banger::sys {

struct WalkEntry {
  std::string path; // relative to the tree, "" for its top
  struct stat info;
  std::string target;                            // of a symbolic link
  int fd = -1;                                   // of a regular file, open for reading
  std::map<std::string, std::string> attributes; // extended, of files and directories
};

void walk(const std::string& dir, const std::function<void(const WalkEntry&)>& visit);

} // namespace banger::sys

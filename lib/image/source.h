// The source of an image, as people name it: opened, and told apart by how it can be read.
#pragma once

#include <cstdint>
#include <string>

#include "core/handle.h"

namespace banger::image {

enum class SourceKind {
  directory,
  file,  // a regular file or a block device: read by offset
  stream // standard input, a FIFO, a file of /proc: read once, from its begin to its end
};

struct Source {
  SourceKind kind = SourceKind::stream;
  std::string name; // for people
  std::string path; // absolute, of a directory, file or device
  Fd file{};        // of all but a directory
  int64_t size = 0; // of a file or device
  bool device = false;
};

// "-" is standard input. A FIFO is waited for, as by any program that reads one. Throws
// Error(not_found) if it is not there, Error(conflict) for a device that is in use (mounted, or a
// part of something), Error(usage) for one that cannot be read to its end: a terminal, a character
// device, a socket.
Source open_source(const std::string& path);

} // namespace banger::image

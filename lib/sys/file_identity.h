// The identity of the file at a path: it tells when another file takes its place, and a version
// tells when the file was written anew.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace banger::sys {

struct FileIdentity {
  uint64_t device = 0, inode = 0;
  bool operator==(const FileIdentity&) const = default;
};
struct FileVersion {
  FileIdentity file;
  int64_t size = 0, mtime_ns = 0;
  bool operator==(const FileVersion&) const = default;
};

// Links are followed. None where there is no file. Throw Error where that cannot be told.
std::optional<FileIdentity> find_identity(const std::string& path);
std::optional<FileVersion> find_version(const std::string& path);

} // namespace banger::sys

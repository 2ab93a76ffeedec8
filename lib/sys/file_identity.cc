#include "sys/file_identity.h"

#include "sys/file.h"

namespace banger::sys {

std::optional<FileIdentity> find_identity(const std::string& path) {
  auto version = find_version(path);
  if (!version) return {};
  return version->file;
}

std::optional<FileVersion> find_version(const std::string& path) {
  auto info = find_info(path);
  if (!info) return {};
  return FileVersion{{info->dev, info->ino}, info->size, info->mtime_ns};
}

} // namespace banger::sys

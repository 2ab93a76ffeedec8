// Which file systems lead to another machine. sys/file.h asks it of a path.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace banger::sys {

// The name of a type by statfs(2)'s number of it; none for a local one. FUSE has one number for all
// that it serves.
std::optional<std::string> network_type_name(int64_t type);
// By the name in the mount table, of those that FUSE serves: "fuse.sshfs" is "sshfs".
std::optional<std::string> network_fuse_name(const std::string& mounted_type);

} // namespace banger::sys

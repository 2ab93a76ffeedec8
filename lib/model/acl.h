// POSIX access control lists as they are kept in extended attributes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace banger {

struct AclEntry {
  enum class Tag : uint16_t {
    owner = 1,
    user = 2,
    group_of_file = 4,
    group = 8,
    mask = 16,
    other = 32
  };
  Tag tag = Tag::owner;
  uint16_t permissions = 0;   // rwx as 4, 2, 1
  std::optional<uint32_t> id; // of a user or group; none: only its name is known
  std::string name{};
  bool operator==(const AclEntry&) const = default;
};

// Whether each user and group in it has its id.
bool has_ids(const std::vector<AclEntry>& acl);

// The value of "system.posix_acl_access" or "system.posix_acl_default", in the order and form of
// the kernel's posix_acl_xattr.h. Each user and group has its id.
std::string acl_attribute(std::vector<AclEntry> acl);

inline constexpr const char* access_acl = "system.posix_acl_access";
inline constexpr const char* default_acl = "system.posix_acl_default";

} // namespace banger

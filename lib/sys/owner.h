// Whose a file is, in the words of people.
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

namespace banger::sys {

// "'anna'", or "user 1000" where the host has no name for it.
std::string owner_text(uid_t uid);
// None where the host has no name for it.
std::optional<std::string> group_name(gid_t gid);

} // namespace banger::sys

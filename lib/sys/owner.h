// The owners of files, in the words of people.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "sys/file.h"

namespace banger::sys {

// None where the host has no name for him.
std::optional<std::string> user_name(uid_t uid);
// "'anna'", or "user 1000" where the host has no name for it.
std::string owner_text(uid_t uid);
// Refuses to make files in another user's directory: those of root would keep that user out of it,
// and nobody's sockets are safe there. `what` is "state", `info` the directory's own; where it is
// missing, what is nearest above it decides. Throws Error(preflight) with the owner; `otherwise` is
// the hint.
void require_own(const char* what, const std::string& dir, std::optional<FileInfo> info,
                 const std::string& otherwise);
// The path itself, or a directory on its way, that another than root can change: who may rename one
// of those may put another thing there. None where all of it is root's alone. `path` is a real one.
std::optional<std::string> find_not_roots(std::string path);
// A shell command that gives the user of this process all that lies in a directory of theirs. Empty
// where nothing in it (or in its directories) is another's.
std::string how_to_own(const std::string& dir);
// None where the host has no name for it; the first of several.
std::optional<std::string> group_name(gid_t gid);
// None where the host has no such group.
std::optional<gid_t> group_id(std::string_view name);
// Those that have him for a member in /etc/group. His first one is told by his processes.
std::vector<gid_t> groups_of(uid_t uid);

} // namespace banger::sys

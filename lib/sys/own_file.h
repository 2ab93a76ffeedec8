// Names in a directory to which a stranger may write: a VMM writes to its runtime directory, and a
// guest may have taken it over. What stands there is opened only where it is what this user would
// have put there; a link is never followed, and nothing is waited for, nor touched, before that is
// known.
//
// The directory itself, by the path to it, is trusted: a stranger cannot replace that.
#pragma once

#include <optional>
#include <string>

#include "core/handle.h"

namespace banger::sys {

enum class OwnKind {
  file, // a regular file that has no other name
  fifo,
  socket // opened with O_PATH alone: to connect to, by /proc/self/fd
};

// open(2) of a name that is of this kind and this user's. None where nothing is there. Throws
// Error(failed) for all else.
std::optional<Fd> find_own(const std::string& path, OwnKind kind, int flags);
// The same, but an absent file is a failure.
Fd open_own(const std::string& path, OwnKind kind, int flags);

} // namespace banger::sys

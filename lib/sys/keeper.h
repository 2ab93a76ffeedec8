// A program of others, with all that it starts, that must not go on when this process has ended,
// however that was: by Ctrl-C, by a signal that nobody can catch, or because it is not needed any
// more.
//
// A keeper is a process between the two, forked from this one, in a session of its own. It adopts
// all that the program leaves behind (PR_SET_CHILD_SUBREAPER), daemons too, and holds one end of a
// pipe whose other end is this process's. When the program has ended, or that other end is closed,
// it ends all that is left: SIGTERM, so that they can tidy up, and SIGKILL five seconds later. Then
// it ends itself, as the program did.
#pragma once

#include <functional>
#include <string>

#include "core/handle.h"

namespace banger::sys {

struct Keeper {
  int pid = 0; // a child of this process
  Fd lifeline; // closed: all of it ends
};

// `start` is called in the keeper and returns the pid of the program that it started there. Throws
// the Error that it threw (its errno and `what`).
Keeper start_keeper(const std::function<int()>& start, const std::string& what);

} // namespace banger::sys

// Whether programs of this host find the names of VMs.
#pragma once

#include <optional>
#include <string>

#include "ops/dns/daemon.h"

namespace banger::ops {

struct HostResolver {
  std::optional<bool> asks; // the daemon, for names of its zone; none: it cannot be told
  std::string how;          // that was found, for people
};
// Looks a name up as any program does, by libc (getent(1)), and sees whether the question comes to
// the daemon. The name is new, so that no cache has it. Takes `patience` at most: a resolver that
// takes longer waits for another server, and would not have asked the daemon. Changes nothing.
inline constexpr Millis usual_look{1'500};
HostResolver look_at_resolver(const Dirs& dirs, const DnsDaemon& daemon,
                              Millis patience = usual_look);
// The same for the banger daemon that listens at `at`: this user's, or for root any user's. Where
// no process listens there, this one does for the time of the look. Throws Error(conflict) where
// another program has that port.
HostResolver look_for_questions(const Endpoint& at, const std::string& zone, const Dirs& dirs);

} // namespace banger::ops

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
// the daemon. That name is in nobody's memory. It takes as long as `patience` at most: a resolver
// that asks somewhere else may wait for that longer, and would not have asked us. Changes nothing.
inline constexpr Millis usual_look{1'500};
HostResolver look_at_resolver(const Dirs& dirs, const DnsDaemon& daemon,
                              Millis patience = usual_look);
// The same for whatever banger's daemon is at `at`, this user's or for root anybody's, or for this
// process where nobody is: it then listens there. Throws Error(conflict) where another program has
// that port.
HostResolver look_for_questions(const Endpoint& at, const std::string& zone, const Dirs& dirs);

} // namespace banger::ops

// The DNS daemon begun and ended by a command, where no service manager does
// that.
#pragma once

#include <string>
#include <vector>

#include "ops/dns/daemon.h"

namespace banger::ops {

struct StartedDns {
  DnsDaemon daemon;
  bool changed = true; // false: it was there
};
// Starts it if there is none, or in the place of the one there is, and waits until it answers.
// `common` are the options that it is given as well (App::common_words). Throws what kept it from
// starting.
StartedDns start_dns(const Dirs& dirs, bool replace, const std::vector<std::string>& common);

// Asks it to end, and waits until it has; one that does not within five seconds
// is killed. False where there is none.
bool stop_dns(const Settings& settings, const Dirs& dirs);

} // namespace banger::ops

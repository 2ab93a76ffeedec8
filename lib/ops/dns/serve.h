// The DNS daemon itself.
#pragma once

#include <functional>

#include "ops/dns/daemon.h"

namespace banger::ops {

// Serves until SIGTERM or SIGINT, or until the state's directory is removed. It takes the sockets
// that it was started with (systemd's), else binds those of dns.listen. Once it answers there, it
// tells a service manager that wants to know, and calls `on_ready`.
//
// While the state cannot be read it answers SERVFAIL, and recovers by itself; a state that is not
// there is made. Throws Error(conflict) where a daemon serves this state already, or another has
// the port (the error names its process), Error(preflight) for a port that this user may not have.
//
struct ServeDns {
  // It takes the place of the daemon that there is, with its sockets where they are those of
  // dns.listen: no datagram is lost.
  bool replace = false;
  bool background = false;    // DnsDaemon::background
  std::optional<Millis> idle; // DnsDaemon::idle
};
void serve_dns(const Settings& settings, const Dirs& dirs, Log& log, const ServeDns& how,
               const std::function<void(const DnsDaemon&)>& on_ready);

} // namespace banger::ops

// The DNS daemon begun and ended by a command, where no service manager does
// that.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ops/dns/daemon.h"
#include "sys/process.h"
#include "sys/service.h"
#include "sys/wait.h"

namespace banger::ops {

struct StartedDns {
  DnsDaemon daemon;
  bool changed = true; // false: it was there
};

// A daemon that is being started. It may outlive this object, and this process.
class DnsStart {
public:
  struct How {
    bool replace = false;       // it takes the place of the one there is
    std::optional<Millis> idle; // DnsDaemon::idle
  };
  // Starts the daemon's process and returns at once. `common` are options that the daemon is given
  // as well (App::common_words).
  DnsStart(const Settings& settings, const Dirs& dirs, const How& how,
           const std::vector<std::string>& common);
  // Waits until it answers. A daemon that another command started first counts; a service of
  // systemd's that waits for a question is started by one. None: `patience` has passed.
  // Throws the Error that kept the daemon from starting.
  std::optional<StartedDns> wait(Millis patience);
  // Kills it. Not after wait() has thrown.
  void end();

private:
  const Dirs& dirs_;
  Endpoint listen_;
  bool replace_;
  sys::ServiceEar ear_;
  sys::Pipe err_;
  sys::Child child_;
};

// Starts the daemon if there is none, or with `replace` in its place, and waits until it answers.
// From then on it stays until it is ended. Throws the Error that kept it from starting.
StartedDns start_dns(const Settings& settings, const Dirs& dirs, bool replace,
                     const std::vector<std::string>& common);

// Asks the daemon to end, and waits until it has. A daemon that does not end within five seconds
// is killed. False where there is none.
bool stop_dns(const Settings& settings, const Dirs& dirs);

} // namespace banger::ops

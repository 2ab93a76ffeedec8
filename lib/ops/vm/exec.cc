#include "ops/vm/exec.h"

#include <array>
#include <csignal>

#include <poll.h>

#include "core/error.h"
#include "sys/process.h"
#include "sys/signals.h"
#include "sys/wait.h"

namespace banger::ops {

GuestRun run_in_guest(Context& ctx, const Vm& vm, const std::vector<std::string>& words,
                      const std::vector<std::string>& common) {
  sys::Command command;
  command.argv = {ctx.dirs.bin + "/banger-ssh", "--state-dir", ctx.dirs.state};
  command.argv.insert(command.argv.end(), common.begin(), common.end());
  command.argv.insert(command.argv.end(), {vm.name, "--"});
  command.argv.insert(command.argv.end(), words.begin(), words.end());
  command.keep_ignored = true;
  // A signal is passed to the command. This process goes on when the command has ended of it.
  sys::Signals signals({SIGINT, SIGTERM, SIGHUP});
  sys::Child child = sys::spawn(command, sys::inherit_stdio());
  GuestRun run;
  for (;;) {
    std::array<pollfd, 2> polled{{{child.pidfd(), POLLIN, 0}, {signals.fd(), POLLIN, 0}}};
    sys::wait_any(polled);
    if (polled[0].revents) break;
    // banger-ssh takes the terminal's own copy of it and this one for the same.
    if (polled[1].revents)
      if (int signal = sys::read_signal(signals.fd())) {
        child.kill(signal);
        run.interrupted = true;
      }
  }
  sys::ExitStatus status = child.wait();
  run.status = status.exited ? status.code : 128 + status.signal;
  return run;
}

} // namespace banger::ops

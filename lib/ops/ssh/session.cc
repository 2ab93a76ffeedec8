#include "ops/ssh/session.h"

#include <cerrno>

#include "core/error.h"
#include "core/units.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

// For connection and login; a guest under emulation with other work needs seconds.
constexpr Millis login_time{30'000};
constexpr Millis turned_away{5'000}; // how long a server may be too busy to begin

} // namespace

Fd watch_vm(const SshTarget& target) {
  ProcessId vmm = target.vm.vmm_process();
  if (!vmm) return {};
  auto process = sys::open_process(vmm);
  if (!process) throw Error(Code::unreachable, "the VM has ended");
  return std::move(*process);
}

guest::Session open_session(const SshTarget& target, int signals) {
  return guest::Session::connect(target.endpoint, Deadline(login_time), turned_away,
                                 {watch_vm(target), signals});
}

void with_guest(const SshTarget& target, const Dirs& dirs, const std::function<void()>& work) {
  try {
    work();
  } catch (Error& e) {
    e.default_subject(target.vm.name);
    if (e.code() == Code::unreachable || e.code() == Code::timeout) {
      require_going_on(dirs, target.vm);
      // Soon it has gone, with its logs.
      if (target.vm.remove_when_stopped)
        e.default_hint(fmt::format("it is removed when it has ended (--rm); if it crashed, its "
                                   "logs are kept for a week: {}",
                                   dirs.kept_logs(target.vm.name, target.vm.id)));
      else
        e.default_log(dirs.console_log(target.vm.id));
      e.default_hint(fmt::format("banger vm show {}", target.vm.name));
    }
    if (e.error_number() != EPIPE) e.within(fmt::format("VM '{}'", target.vm.name));
    throw;
  }
}

} // namespace banger::ops

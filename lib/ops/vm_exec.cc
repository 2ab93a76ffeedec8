#include "ops/vm_exec.h"

#include "core/error.h"
#include "sys/process.h"

namespace banger::ops {

int run_in_guest(Context& ctx, const Vm& vm, const std::vector<std::string>& words) {
  sys::Command command;
  command.argv = {ctx.dirs.bin + "/banger-ssh", "--state-dir", ctx.dirs.state, vm.name, "--"};
  command.argv.insert(command.argv.end(), words.begin(), words.end());
  sys::ExitStatus status = sys::spawn(command, sys::inherit_stdio()).wait();
  return status.exited ? status.code : status_own_failure;
}

} // namespace banger::ops

#include "ops/ssh/target.h"

#include "core/error.h"
#include "guest/identity/known_hosts.h"
#include "sys/file.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

Error not_running(const Vm& vm, std::string_view is) {
  return conflict("VM '{}' {}", vm.name, is)
      .subject(vm.name)
      .hint(fmt::format("banger vm {} {}", vm.state == VmState::paused ? "restart" : "start",
                        vm.name));
}

} // namespace

std::string ssh_host(const Vm& vm) { return vm.name + ".vm"; }

SshTarget find_ssh_target(Reader& in, const std::string& ref) {
  SshTarget target;
  Vm& vm = target.vm = in.state.get_vm(ref);
  // One that is starting may answer already; who asks has a reason to look.
  if (vm.state != VmState::running && vm.state != VmState::starting)
    throw not_running(vm, fmt::format("is not running: it is {}", name_of(vm.state)));
  if (vm.vmm_process() && !sys::is_alive(vm.vmm_process()))
    throw not_running(vm, "is not running any more: its VMM is gone");
  target.host = ssh_host(vm);
  target.known_hosts = in.dirs.keys() + "/known_hosts";
  auto key = guest::find_host_key(sys::find_content(target.known_hosts).value_or(""), target.host);
  if (!key)
    throw failed("cannot trust VM '{}': its host key is not in '{}'", vm.name, target.known_hosts)
        .subject(vm.name)
        .hint(fmt::format("banger vm restart {}", vm.name));
  target.endpoint = {vm.reach, vm.ssh_port, "root", in.dirs.keys() + "/id_ed25519", *key};
  return target;
}

} // namespace banger::ops

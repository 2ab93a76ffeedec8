#include "ops/ssh/target.h"

#include "core/error.h"
#include "core/text.h"
#include "guest/identity/known_hosts.h"
#include "model/words.h"
#include "state/state.h"
#include "sys/file.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

// A guest that its VMM has stopped does not answer until it goes on.
bool stands_still(const Vm& vm) {
  return (vm.state == VmState::paused || vm.state == VmState::starting) && !vm.reason.empty();
}

Error still(const Vm& vm) {
  return conflict("VM '{}' is paused: {}", vm.name, vm.reason)
      .subject(vm.name)
      .hint(vm.reason == paused_on_request
                ? fmt::format("banger vm resume {} lets it go on", vm.name)
                : fmt::format("it goes on by itself when that is over; banger vm kill {} ends it",
                              vm.name));
}

Error not_running(const Vm& vm, std::string_view is) {
  return conflict("VM '{}' {}", vm.name, is)
      .subject(vm.name)
      .hint(fmt::format("banger vm {} {}", vm.state == VmState::paused ? "restart" : "start",
                        vm.name));
}

// The VM of a reference as ssh and scp write it: with the user, which must be root, and its zone.
std::string meant(Reader& in, std::string ref) {
  if (size_t at = ref.find('@'); at != std::string::npos) {
    std::string user = ref.substr(0, at);
    ref.erase(0, at + 1);
    if (user != "root")
      throw usage("cannot get into '{}' as '{}': banger's key is root's", ref, user)
          .subject(ref)
          .hint(fmt::format("banger ssh {} -- su - {} -c CMD", ref, shell_quote(user)));
  }
  std::string zone = "." + in.settings.dns_zone;
  if (ref.ends_with(zone)) ref.resize(ref.size() - zone.size());
  return ref;
}

} // namespace

void require_going_on(const Dirs& dirs, const Vm& vm) {
  auto state = state::State::open(dirs, state::Mode::read);
  if (auto now = state.find_vm_by_id(vm.id); now && stands_still(*now)) throw still(*now);
}

SshTarget find_ssh_target(Reader& in, const std::string& ref) {
  SshTarget target;
  Vm& vm = target.vm = in.state.get_vm(meant(in, ref));
  if (stands_still(vm)) throw still(vm);
  // One that is starting may answer already; a user who asks has a reason to look.
  if (vm.state != VmState::running && vm.state != VmState::starting)
    throw not_running(vm, "is not running: " + is_now(vm.state));
  if (vm.vmm_process() && !sys::is_alive(vm.vmm_process()))
    throw not_running(vm, "is not running any more: its VMM is gone");
  target.host = vm.reach;
  target.known_hosts = in.dirs.known_hosts();
  auto key = guest::find_host_key(sys::find_content(target.known_hosts).value_or(""), target.host);
  if (!key)
    throw failed("cannot trust VM '{}': its host key is not in '{}'", vm.name, target.known_hosts)
        .subject(vm.name)
        .hint(fmt::format("banger vm restart {}", vm.name));
  target.endpoint = {vm.reach, vm.ssh_port, "root", in.dirs.identity(), *key};
  return target;
}

} // namespace banger::ops

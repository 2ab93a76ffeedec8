#include "ops/release/release.h"

#include <csignal>

#include "core/error.h"
#include "ops/net/private_net.h"
#include "sys/file.h"
#include "sys/proc.h"
#include "sys/socket.h"

namespace banger::ops {

void end_vmm(const Vm& vm, const Places& places) {
  auto end = [](const ProcessId& id) {
    auto fd = sys::open_process(id);
    if (!fd) return;
    sys::send_signal(id, SIGKILL);
    if (!sys::wait_readable(fd->get(), Millis(10'000)))
      throw failed("cannot end process {}: it does not die", id.pid);
  };
  end(vm.vmm_process());
  if (!sys::exists(places.runtime)) return;
  std::string dir = sys::real_path(places.runtime);
  for (const sys::ProcessInfo& p : sys::list_processes())
    if (p.cwd == dir) end(p.id);
}

Vm settle_vm(Context& ctx, const Vm& vm, const Places& places, VmState state, const char* reason) {
  end_vmm(vm, places);
  PrivateNet(ctx, ctx.dirs.libexec).leave(vm);
  sys::remove_tree(places.runtime);
  Vm now = vm;
  ctx.state.transaction([&] {
    now = ctx.state.change_vm(vm.id, [&](Vm& v) {
      v.state = state;
      v.reason = reason;
      v.stopped = wall_now();
      v.run.reset();
    });
    record(ctx, vm.name, "vm.reconciled",
           {{"from", name_of(vm.state)}, {"to", name_of(state)}, {"reason", reason}});
  });
  return now;
}

} // namespace banger::ops

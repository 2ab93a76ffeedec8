#include "ops/vm/spawn.h"

#include <fcntl.h>

#include "core/error.h"
#include "ops/bundle/boot_files.h"
#include "ops/common/places.h"
#include "ops/host/accel.h"
#include "ops/host/vmm_choice.h"
#include "ops/link/client.h"
#include "sys/file.h"
#include "sys/socket.h"

namespace banger::ops {

namespace {
constexpr Millis time_to_take_over{30'000};
}

SpawnedMonitor spawn_monitor(Context& ctx, const Vm& vm, const MonitorRequest& request,
                             bool detached) {
  Places places = places_of(ctx.dirs, ctx.state.tag(), vm);
  Fd log = sys::open_file(places.vmm_log, O_WRONLY | O_CREAT | O_APPEND);
  auto [ours, theirs] = sys::socket_pair();
  sys::Command command{{ctx.dirs.libexec + "/banger-monitor", vm.name}, {}, "/", detached};
  sys::Child child = sys::spawn(command, {-1, log.get(), log.get(), {{theirs.get(), request_fd}}});
  child.leave(); // a monitor ends with its VM
  theirs.reset();
  sys::send_all(ours.get(), to_line(request));
  return {std::move(child), std::move(ours)};
}

MonitorRequest base_request(Context& ctx, const Vm& vm) {
  MonitorRequest r;
  r.vm = vm.id;
  r.op = ctx.log.op();
  r.log_level = name_of(ctx.log.level());
  r.state_dir = ctx.dirs.state;
  r.runtime_root = ctx.dirs.runtime;
  r.libexec_dir = ctx.dirs.libexec;
  r.vmm = vm.vmm; // the kind that it was started with last
  r.vmm_binary = binary_of(ctx.settings, r.vmm);
  r.settings = ctx.settings;
  r.begun_ns = wall_now().ns;
  return r;
}

void adopt_vm(Context& ctx, const Vm& vm) {
  MonitorRequest request = base_request(ctx, vm);
  request.adopt = true;
  request.accel = vm.accel.value_or(Accel::tcg);
  if (request.accel == Accel::tcg) request.tsc_khz = tsc_khz(ctx);
  // Only a guest's reboot needs these; a bundle that is gone must not keep a VM from being adopted.
  try {
    BootFiles files = boot_files(ctx, current_bundle(ctx));
    request.kernel = files.kernel;
    request.initrd = files.initrd;
  } catch (const Error& e) {
    ctx.log.warn("adopt.no_bundle", e);
  }
  ctx.stage(vm.name, "starting another monitor for it");
  auto [process, link] = spawn_monitor(ctx, vm, request, true);
  using Kind = Report::Kind;
  sys::Loop loop;
  auto r = Client(loop, std::move(link))
               .wait_for({Kind::ready, Kind::ended, Kind::failed}, time_to_take_over);
  if (r && r->error) throw std::move(*r->error);
  if (r) return;
  throw failed("cannot take over '{}': its new monitor said nothing", vm.name)
      .subject(vm.name)
      .log(places_of(ctx.dirs, ctx.state.tag(), vm).vmm_log);
}

} // namespace banger::ops

#include "ops/vm/start.h"

#include <csignal>

#include "core/error.h"
#include "core/text.h"
#include "ops/bundle/boot_files.h"
#include "ops/common/places.h"
#include "ops/host/accel.h"
#include "ops/host/vmm_choice.h"
#include "ops/link/boot_stage.h"
#include "ops/link/client.h"
#include "ops/net/host_ports.h"
#include "ops/net/nature.h"
#include "ops/vm/disks.h"
#include "ops/vm/hold.h"
#include "ops/vm/preflight.h"
#include "ops/vm/settle.h"
#include "ops/vm/spawn.h"
#include "sys/file.h"
#include "sys/loop.h"
#include "sys/proc.h"
#include "sys/signals.h"

namespace banger::ops {

namespace {

// Checks all that a start needs before anything is touched, and names all that is missing at once.
MonitorRequest preflight_start(Context& ctx, const Vm& vm, bool has_disks) {
  std::vector<Check> checks = check_start(ctx, vm);
  if (!has_disks) std::erase_if(checks, [](const Check& c) { return c.id == "disks"; });
  require(fmt::format("cannot start '{}'", vm.name), vm.name, checks);
  for (const Check& c : checks)
    if (c.id == "memory" && c.verdict == Verdict::warn)
      ctx.notice(fmt::format("little memory for '{}': {}", vm.name, c.found));
  require_free_ports(vm, vm.ports, Asked::recorded);
  MonitorRequest request = base_request(ctx, vm);
  BootFiles files = boot_files(ctx, current_bundle(ctx));
  request.kernel = files.kernel;
  request.initrd = files.initrd;
  return request;
}

// Such a VM as a saved guest needs.
Vm as_saved(Vm vm, const disk::SavedMachine& machine) {
  vm.cpus = machine.cpus;
  vm.memory = machine.memory;
  vm.net_mode = machine.net_mode;
  vm.want_vmm = machine.vmm;
  vm.want_accel = machine.accel;
  return vm;
}

constexpr Millis time_to_lock{30'000};

// A boot, as its monitor reports it.
struct Boot {
  Boot(Context& ctx, Fd link, Vm v, BootTime patience, BootStage first)
      : monitor(loop, std::move(link), {[this, &ctx](const Report& r) {
                  if (r.kind != Report::Kind::stage) return;
                  reached = {r.stage, r.text};
                  ctx.stage(vm.name, r.doing.empty() ? r.text : r.doing);
                }}),
        vm(std::move(v)), time(patience), places(places_of(ctx.dirs, ctx.state.tag(), vm)),
        reached(std::move(first)) {}

  sys::Loop loop;
  Client monitor;
  Vm vm;
  BootTime time;
  Places places;
  BootStage reached;                      // the last stage that was told
  std::optional<sys::Child> process = {}; // the monitor's, where this process started it
};

BootTime time_of(Context& ctx, const StartOptions& options, Accel accel) {
  Millis asked = options.timeout.value_or(ctx.settings.vm_ready_timeout);
  return {asked, scaled(asked, accel)};
}

// Starts a VM up to the monitor's word that run.lock is its own. op.lock is given up then, so that
// a boot that hangs can be stopped.
std::unique_ptr<Boot> begin_start(Context& ctx, HeldVm held, const StartOptions& options,
                                  bool detached) {
  auto [vm, lock] = std::move(held);
  Places places = places_of(ctx.dirs, ctx.state.tag(), vm);
  ctx.stage(vm.name, "checking what it needs");
  const std::optional<SavedGuest>& saved = options.saved;
  if (!saved) {
    renew_blank_root(ctx, places, vm);
    vm = record_sizes(ctx, places, vm);
  }
  Vm wanted = saved ? as_saved(vm, saved->machine) : vm;
  MonitorRequest request = preflight_start(ctx, wanted, !saved);
  // A truncated disk is named here, not by a guest's panic.
  if (!saved) require_file_systems(places, vm);
  VmmChoice chosen = choose_vmm(ctx, vm.name, wish_of(wanted), request.kernel, request.initrd);
  request.vmm = chosen.vmm;
  request.vmm_binary = chosen.binary;
  request.accel = chosen.accel;
  if (request.accel == Accel::tcg) request.tsc_khz = tsc_khz(ctx);
  if (saved) {
    request.saved = saved->dir;
    vm = saved->take_disks(ctx);
  }

  ctx.state.transaction(
      [&] {
        require_within_limit(ctx.settings, ctx.state, vm); // again: others may have been started
        vm = ctx.state.change_vm(vm.id, [&](Vm& v) {
          v.state = VmState::starting;
          v.reason.clear();
          v.fault.reset();
          v.started = wall_now();
          v.timings = {};
          v.host_open = nature_of(v.net_mode).guards_host && ctx.settings.net_host_access;
        });
        record(ctx, vm.name, "vm.starting");
      },
      outlives_of_runtime(ctx.dirs.runtime)); // after a power cut it was never started
  ctx.stage(vm.name, "starting the VMM");
  options.on_begin();
  auto started = [&] {
    try {
      return spawn_monitor(ctx, vm, request, detached);
    } catch (Error& e) {
      reconcile_locked(ctx, vm);
      throw std::move(e.within(fmt::format("cannot start '{}'", vm.name)).default_subject(vm.name));
    }
  }();
  auto s =
      std::make_unique<Boot>(ctx, std::move(started.link), vm, time_of(ctx, options, request.accel),
                             BootStage{"vmm", "starting the VMM"});
  s->process = std::move(started.process);
  using Kind = Report::Kind;
  auto r = s->monitor.wait_for({Kind::locked, Kind::failed, Kind::ended}, time_to_lock);
  if (!r || r->kind != Kind::locked) {
    // A monitor that is late must not boot a VM that was settled meanwhile.
    s->process->kill(SIGKILL);
    s->process->wait();
    reconcile_locked(ctx, vm);
    if (r && r->error) throw std::move(*r->error);
    throw failed("cannot start '{}': its monitor did not start", vm.name)
        .subject(vm.name)
        .log(places.vmm_log);
  }
  return s;
}

// Tells a fault that a VM has although it is ready.
void tell_flaw(Context& ctx, const Vm& vm, const Report& ready) {
  if (!ready.text.empty()) ctx.notice(fmt::format("'{}': {}", vm.name, ready.text));
}

// ^C while a start waits: the user is told that the VM does not end with the wait.
class Interruption {
public:
  Interruption(Context& ctx, const Vm& vm, int by_caller) : ctx_(ctx), vm_(vm), fd_(by_caller) {
    if (fd_ < 0) fd_ = own_.emplace({SIGINT, SIGTERM, SIGHUP}).fd();
  }
  int fd() const { return fd_; }
  // Before the signal can end this process.
  void tell() const {
    if (own_)
      ctx_.notice(fmt::format("'{0}' goes on booting: banger vm wait {0} waits until it answers, "
                              "banger vm kill {0} ends it",
                              vm_.name));
  }

private:
  Context& ctx_;
  const Vm& vm_;
  std::optional<sys::Signals> own_;
  int fd_;
};

// Follows the monitor's reports. Returns when the VM is ready, or, without options.wait, when its
// VMM was started.
void await_ready(Context& ctx, Boot& s, const StartOptions& options) {
  Interruption interruption(ctx, s.vm, options.interrupt);
  auto began = steady_now();
  s.loop.watch(interruption.fd(), [&] {
    interruption.tell();
    throw failed("cannot start '{}': interrupted", s.vm.name).subject(s.vm.name);
  });
  using Kind = Report::Kind;
  // The first stage comes when the VMM runs.
  auto r = options.wait ? s.monitor.wait_for({Kind::ready, Kind::failed, Kind::ended}, s.time.given)
                        : s.monitor.wait_for({Kind::ready, Kind::failed, Kind::ended, Kind::stage},
                                             s.time.given);
  s.loop.forget(interruption.fd());
  if (r && r->kind == Kind::ready) return tell_flaw(ctx, s.vm, *r);
  if (r && r->kind == Kind::stage) return;
  if (r && r->error) {
    Error e = std::move(*r->error);
    e.within(fmt::format("cannot start '{}'", s.vm.name));
    e.default_subject(s.vm.name);
    e.default_log(s.places.console);
    throw e;
  }
  if (r) throw conflict("'{}' was stopped before it was ready", s.vm.name).subject(s.vm.name);
  if (s.monitor.is_gone())
    throw failed("cannot start '{}': its monitor died", s.vm.name)
        .subject(s.vm.name)
        .hint("the next command cleans up; try again")
        .log(s.places.vmm_log);
  Error e =
      not_ready(s.vm.name, s.reached, std::chrono::duration_cast<Millis>(steady_now() - began),
                s.time, sys::read_tail(s.places.console, 4096));
  throw std::move(e.default_log(s.places.console));
}

// Waits for a VM that another command is starting. Without op.lock, so that it can be stopped.
Reached join_start(Context& ctx, const Vm& vm, const StartOptions& options) {
  if (!options.wait) return {vm, false};
  Places places = places_of(ctx.dirs, ctx.state.tag(), vm);
  Fd link = connect_monitor(places, vm);
  // It may have become ready before the monitor knew of this listener.
  Vm now = ctx.state.get_vm(vm.id);
  if (now.state == VmState::running) return {now, false};
  BootTime time = time_of(ctx, options, now.accel.value_or(Accel::tcg));
  Boot boot(ctx, std::move(link), now, time, {"boot", "it boots"});
  ctx.stage(vm.name, "being started already");
  await_ready(ctx, boot, options);
  return {ctx.state.get_vm(vm.id), false};
}

} // namespace

Reached start_vm(Context& ctx, const std::string& ref, const StartOptions& options) {
  LogSpan timed(ctx.log, "vm.start", ref);
  HeldVm held = hold_vm(ctx, ref, "start");
  timed.about(held.vm.name);
  if (held.vm.state == VmState::running) {
    options.on_begin();
    return {held.vm, false};
  }
  if (held.vm.state == VmState::starting) {
    held.lock.release();
    options.on_begin();
    return join_start(ctx, held.vm, options);
  }
  require_stopped(held.vm, "start");
  return start_held(ctx, std::move(held), options);
}

Reached start_held(Context& ctx, HeldVm held, const StartOptions& options) {
  auto boot = begin_start(ctx, std::move(held), options, true);
  await_ready(ctx, *boot, options);
  return {ctx.state.get_vm(boot->vm.id), true};
}

Vm run_foreground(Context& ctx, const std::string& ref, const StartOptions& options,
                  const std::function<void(const Vm&)>& on_ready) {
  // Taken first: a signal that comes while the monitor is being started stops the VM, too.
  sys::Signals signals({SIGTERM, SIGINT, SIGHUP});
  auto s = begin_start(ctx, hold_stopped_vm(ctx, ref, "start"), options, false);
  s->loop.watch(signals.fd(), [&] {
    sys::read_signal(signals.fd());
    s->process->kill(SIGTERM);
  });
  std::optional<Error> failure;
  while (auto r = s->monitor.wait_for({Report::Kind::ready, Report::Kind::failed}, {})) {
    if (r->error) {
      failure = std::move(r->error);
      continue;
    }
    tell_flaw(ctx, s->vm, *r);
    on_ready(ctx.state.get_vm(s->vm.id));
  }
  s->process->wait();
  if (failure) {
    failure->within(fmt::format("cannot start '{}'", s->vm.name)).default_log(s->places.console);
    throw *failure;
  }
  // With --rm the row has gone, and its last known content is returned.
  return ctx.state.find_vm_by_id(s->vm.id).value_or(s->vm);
}

} // namespace banger::ops

#include "ops/monitor/monitor.h"

#include <csignal>

#include <fcntl.h>

#include "core/error.h"
#include "core/text.h"
#include "guest/boot/protocol.h"
#include "ops/release/removal.h"
#include "sys/copy.h"
#include "sys/file.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

// A console or VMM log larger than `most` is cut from the front to `keep`. Looked at this often at
// the most, whatever a guest writes.
constexpr int64_t most_log = int64_t{8} << 20;
constexpr int64_t keep_log = int64_t{4} << 20;
constexpr Millis log_pause{100};
constexpr Millis next_record{1000}, next_await{1000};
constexpr Millis first_look{500}, last_look{8000}; // whether a guest that says so is halted

} // namespace

Monitor::Monitor(Context& ctx, MonitorRequest request, Fd verb)
    : ctx_(ctx), request_(std::move(request)), verb_(std::move(verb)),
      net_(ctx, request_.libexec_dir), net_watch_(ctx, net_, loop_) {}

int Monitor::run() {
  try {
    begin();
    loop_.run();
  } catch (const Error& e) {
    on_failure(e);
  } catch (const std::exception& e) {
    on_failure(failed("the monitor of '{}' failed: {}", vm_.name, e.what()));
  }
  return status_;
}

// Whatever failed, the VM must not be left half-made with nobody at its side. But what another
// monitor made, and what a VMM still uses, is not this one's to take away.
void Monitor::on_failure(const Error& e) {
  if (ours_)
    finish(VmState::failed, e.message(), e);
  else
    refuse(e);
}

void Monitor::refuse(const Error& e) {
  report({Report::Kind::failed, {}, {}, e, {}});
  ended_ = true;
  status_ = exit_status(e.code());
  loop_.stop();
}

void Monitor::begin() {
  vm_ = ctx_.state.get_vm(request_.vm);
  places_ = places_of(ctx_.dirs, ctx_.state.tag(), vm_);
  run_lock_ = sys::FileLock::try_take(places_.run_lock);
  if (!run_lock_) throw conflict("'{}' has a monitor already", vm_.name);
  ctx_.state.transaction(
      [&] {
        vm_ = ctx_.state.get_vm(vm_.id);
        bool awaited = request_.adopt
                           ? vm_.state == VmState::running || vm_.state == VmState::paused
                           : vm_.state == VmState::starting;
        // Who asked for it may have died, and another have brought the row in order since.
        if (!awaited)
          throw conflict("nobody waits for a monitor of '{}': it is {}", vm_.name,
                         name_of(vm_.state));
        vm_ = ctx_.state.change_vm(vm_.id, [&](Vm& v) {
          if (!v.run) v.run.emplace();
          v.run->monitor = sys::this_process();
          v.run->runtime_dir = places_.runtime;
        });
      },
      outlives_of_runtime(ctx_.dirs.runtime));
  ours_ = !request_.adopt; // an adopted one is when all of it was taken over
  signals_ = sys::block_signals({SIGTERM, SIGINT, SIGHUP});
  loop_.watch(signals_.get(), [this] {
    if (sys::read_signal(signals_.get()) != SIGHUP) ask_stop(request_.stop_timeout);
  });
  sys::make_dirs(places_.runtime);
  listener_ = sys::listen_unix(places_.monitor_socket);
  loop_.watch(listener_.get(), [this] { on_listener(); });
  // Not before it can be spoken to: the verb gives up op.lock now, and the next may be a kill.
  report({Report::Kind::locked, {}, {}, {}, {}});
  console_input_.emplace(loop_, places_.runtime + "/" + vmm::console_socket,
                         [this] { let_clients_go_on(); });
  driver_ = vmm::make_qemu(request_.vmm_binary);
  console_ = sys::open_file(places_.console, O_RDWR | O_CREAT | O_APPEND);
  console_offset_ = sys::size_of(console_.get());
  vmm_log_ = sys::open_file(places_.vmm_log, O_WRONLY | O_CREAT | O_APPEND);
  log_watch_ = sys::watch_file(places_.console);
  sys::watch_too(log_watch_.get(), places_.vmm_log);
  loop_.watch(log_watch_.get(), [this] { on_logs(); });
  if (request_.adopt) return adopt();
  await_ = std::make_unique<AwaitHelper>(request_.libexec_dir, vmm_log_.get());
  if (!has_host_key(places_)) await_->ask_host_key();
  prepare();
  watch_network();
  start_vmm();
}

void Monitor::prepare() {
  prepared_ = prepare_boot(ctx_, net_, request_, places_, vm_, [this] {
    try {
      if (await_) return await_->host_key();
    } catch (const Error& e) {
      ctx_.log.warn("monitor.await", {{"error", std::string_view(e.message())}});
      end_await();
    }
    return AwaitHelper(request_.libexec_dir, vmm_log_.get()).host_key();
  });
  kernel_ = sys::open_file(request_.kernel, O_RDONLY);
}

void Monitor::adopt() {
  auto fd = sys::open_process(vm_.vmm_process());
  if (!fd) {
    ours_ = true;
    return finish(VmState::failed, "unobserved", {});
  }
  adopted_ = std::move(*fd);
  ready_ = true;
  view_.init_stage = "switch";
  console_reader_ = std::make_unique<guest::ConsoleReader>(
      [this](guest::ConsoleSign sign, const std::string& text) { on_sign(sign, text); });
  follow_vmm(adopted_.get());
  watch_network();
  ours_ = true;
  note("vm.adopted", {{"pid", vm_.vmm_process().pid}});
  report({Report::Kind::ready, {}, {}, {}, {}});
}

void Monitor::start_vmm() {
  view_ = {};
  last_event_.reset();
  console_reader_ = std::make_unique<guest::ConsoleReader>(
      [this](guest::ConsoleSign sign, const std::string& text) {
        BootTimings& t = vm_.timings;
        if (sign == guest::ConsoleSign::first_byte) mark(t, &BootTimings::vmm);
        if (sign == guest::ConsoleSign::init_stage && text == "start")
          mark(t, &BootTimings::kernel);
        on_sign(sign, text);
        tell_stage();
      });
  if (!ready_) {
    vm_.timings = {};
    vm_.timings.prepare = static_cast<double>(wall_now().ns - request_.begun_ns) / 1e9;
  }
  // A bundle that was built anew since has no use for the kernel of before, but this VM does.
  std::string kernel = places_.runtime + "/" + vmm::kernel_file;
  if (!sys::exists(kernel)) {
    sys::remove_file(kernel);
    sys::copy_sparse(fmt::format("/proc/self/fd/{}", kernel_.get()), kernel);
  }
  phase_start_ = steady_now();
  vmm_ = std::make_unique<sys::Child>(spawn_vmm());
  auto identity = sys::find_process(vmm_->pid());
  auto name_vmm = [&](Vm& v) {
    v.run->vmm = identity.value_or(ProcessId{});
    v.vmm = VmmKind::qemu;
    v.accel = request_.accel;
    v.run->outbound_open = v.net_mode == NetMode::isolated && request_.isolated_outbound;
    v.run->vmm_api_socket = places_.runtime + "/" + vmm::qmp_socket;
    v.timings = vm_.timings;
  };
  vm_ = ctx_.state.change_vm(vm_.id, name_vmm, outlives_of_runtime(ctx_.dirs.runtime));
  follow_vmm(vmm_->pidfd());
  tell_stage();
  if (!ready_) start_await();
}

void Monitor::follow_vmm(int pidfd) {
  loop_.watch(pidfd, [this] { on_vmm_exit(); });
  control_ = driver_->connect(places_.runtime);
  if (control_) loop_.watch(control_->fd(), [this] { on_control(); });
}

void Monitor::start_await() {
  try {
    if (!await_) await_ = std::make_unique<AwaitHelper>(request_.libexec_dir, vmm_log_.get());
    await_->begin(prepared_->endpoint);
    loop_.watch(await_->fd(), [this] { on_await(); });
  } catch (const Error& e) {
    ctx_.log.warn("monitor.await", {{"error", std::string_view(e.message())}});
    await_again();
  }
}

// Whoever killed it: a guest becomes ready all the same.
void Monitor::await_again() {
  end_await();
  loop_.after(next_await, [this] {
    if (vmm_ && !ready_ && !ended_ && !await_ && knock_ == Knock::none) start_await();
  });
}

void Monitor::on_await() {
  bool more = await_->fill();
  while (auto r = await_->buffered()) {
    if (r->stage == guest::Stage::banner && view_.ssh < guest::Stage::banner)
      mark(vm_.timings, &BootTimings::userland);
    view_.ssh = r->stage;
    view_.ssh_detail = r->detail;
    if (r->stage == guest::Stage::ready) return on_ready();
    tell_stage();
    if (r->stage == guest::Stage::mismatch) return on_mismatch();
  }
  if (!more) await_again();
}

// That is final, so nobody shall wait for more; the guest goes on, to be looked at on its console.
void Monitor::on_mismatch() {
  end_await();
  Error e = boot_error().hint(
      fmt::format("banger vm logs {0} shows its console, banger vm kill {0} ends it", vm_.name));
  report({Report::Kind::failed, {}, {}, e, {}});
}

void Monitor::on_ready() {
  end_await();
  if (knock_ != Knock::none) return; // it is being stopped
  mark(vm_.timings, &BootTimings::ready);
  ready_ = true;
  record_ready();
}

void Monitor::record_ready() {
  if (knock_ != Knock::none || ended_) return;
  std::string small = not_grown(view_, prepared_->grows);
  try {
    keep_host_key(places_);
    ctx_.state.transaction([&] {
      vm_ = ctx_.state.change_vm(vm_.id, [&](Vm& v) {
        v.state = VmState::running;
        v.reason.clear();
        v.timings = vm_.timings;
        if (control_) v.vmm_version = control_->version();
      });
      const BootTimings& t = vm_.timings;
      record(ctx_, vm_.name, "vm.ready",
             {{"prepare", t.prepare.value_or(0)},
              {"vmm", t.vmm.value_or(0)},
              {"kernel", t.kernel.value_or(0)},
              {"userland", t.userland.value_or(0)},
              {"ready", t.ready.value_or(0)}});
      if (!small.empty()) record(ctx_, vm_.name, "vm.not_grown", {{"why", small}});
    });
  } catch (const Error& e) {
    // A full disk is no reason to end a guest that is well.
    ctx_.log.error("monitor.ready", {{"error", std::string_view(e.message())}});
    report({Report::Kind::stage,
            "ready",
            "it is ready, but that cannot be recorded: " + e.message(),
            {},
            {}});
    loop_.after(next_record, [this] { record_ready(); });
    return;
  }
  report({Report::Kind::ready, "ready", small, {}, {}});
}

void Monitor::note(const std::string& type, const Json& detail) {
  try {
    record(ctx_, vm_.name, type, detail);
  } catch (const Error& e) {
    ctx_.log.warn(type, {{"error", std::string_view(e.message())}});
  }
}

// The time since the phase before; a phase is marked once a boot.
void Monitor::mark(BootTimings& t, std::optional<double> BootTimings::*phase) {
  if (ready_ || t.*phase) return;
  auto now = steady_now();
  t.*phase = Seconds(now - phase_start_).count();
  phase_start_ = now;
}

void Monitor::on_sign(guest::ConsoleSign sign, const std::string& text) {
  view_.see(sign, text);
  if (sign == guest::ConsoleSign::halted) look_whether_halted(first_look);
}

// Anything may print a kernel's last line; only the VMM knows whether it was the last. A VMM that
// runs a halted guest would idle for ever.
void Monitor::look_whether_halted(Millis pause) {
  loop_.after(pause, [this, pause] {
    if (ended_ || !view_.halted || !control_ || control_->fd() < 0) return;
    try {
      halted_ = control_->is_halted();
    } catch (const Error& e) {
      ctx_.log.warn("monitor.halted", {{"error", std::string_view(e.message())}});
    }
    if (halted_) return signal_vmm(SIGKILL);
    view_.halted = pause < last_look;
    if (view_.halted) look_whether_halted(pause * 2);
  });
}

// All that there is now; a guest that goes on writing does not keep this from its end.
void Monitor::read_console() {
  int64_t end = sys::size_of(console_.get());
  while (console_offset_ < end) {
    std::string bytes = sys::read_at(console_.get(), console_offset_, 65536);
    if (bytes.empty()) break;
    console_offset_ += static_cast<int64_t>(bytes.size());
    console_reader_->feed(bytes);
  }
}

void Monitor::on_logs() {
  sys::drain_events(log_watch_.get());
  read_console();
  if (sys::size_of(console_.get()) > most_log) {
    int64_t cut = sys::cut_front(console_.get(), keep_log);
    console_offset_ = std::max<int64_t>(0, console_offset_ - cut);
  }
  if (sys::size_of(vmm_log_.get()) > most_log) sys::cut_front(vmm_log_.get(), keep_log);
  // A guest that floods its console must not keep this process busy.
  rest(log_watch_, ready_ ? log_pause : Millis(5), [this] { on_logs(); });
}

void Monitor::rest(const Fd& watch, Millis pause, const std::function<void()>& then) {
  loop_.forget(watch.get());
  loop_.after(pause, [this, fd = watch.get(), then] {
    if (!ended_) loop_.watch(fd, then);
  });
}

void Monitor::on_control() {
  int fd = control_->fd();
  for (vmm::VmmEvent e : control_->read_events()) last_event_ = e;
  if (control_->fd() < 0) loop_.forget(fd);
}

void Monitor::tell_stage() {
  BootStage s = stage_of(view_);
  if (ready_ || s.text == told_stage_) return;
  told_stage_ = s.text;
  report({Report::Kind::stage, s.word, s.text, {}, {}});
}

void Monitor::on_vmm_exit() {
  // What it said before it ended decides why: read it all first.
  if (control_ && control_->fd() >= 0) on_control();
  read_console();
  loop_.forget(vmm_ ? vmm_->pidfd() : adopted_.get());
  if (control_ && control_->fd() >= 0) loop_.forget(control_->fd());
  control_.reset();
  std::string how = vmm_ ? vmm_->wait().text() : "no exit status";
  vmm_.reset();
  end_await();
  end_poweroff();

  if (knock_ != Knock::none)
    return finish(VmState::stopped, knock_ == Knock::kill ? "killed" : "", {});
  if (halted_) return finish(VmState::stopped, "the guest halted", {});
  // The VMM knows it; what stands on the console the guest may have made up.
  if (last_event_ == vmm::VmmEvent::guest_shutdown)
    return finish(VmState::stopped, "the guest powered off", {});
  if (view_.panic) return finish(VmState::failed, "kernel panic: " + *view_.panic, boot_error());
  if (view_.init_fault && !ready_)
    return finish(VmState::failed, stage_of(view_).text, boot_error());
  if (last_event_ == vmm::VmmEvent::guest_reset) {
    if (vm_.remove_when_stopped) return finish(VmState::stopped, "the guest rebooted", {});
    note("vm.rebooted");
    if (!prepared_) prepare(); // an adopted VM has no plan in this process yet
    return start_vmm();
  }
  Error e =
      failed("the VMM of '{}' ended ({})", vm_.name, how).subject(vm_.name).log(places_.vmm_log);
  std::string said = last_lines(escape_for_terminal(sys::read_tail(places_.vmm_log, 4096)), 3);
  if (!ready_ && !said.empty())
    e = failed("{}: {}", e.message(), said).subject(vm_.name).log(places_.vmm_log);
  finish(VmState::failed, "the VMM ended (" + how + ")", e);
}

Error Monitor::boot_error() const {
  std::string tail = last_lines(escape_for_terminal(console_tail()), 8);
  return failed("{}{}\nits console ends with:\n{}",
                ready_ ? "" : "it did not boot: ", stage_of(view_).text, tail)
      .subject(vm_.name)
      .log(places_.console);
}

std::string Monitor::console_tail() const { return sys::read_tail(places_.console, 4096); }

void Monitor::report(const Report& r) {
  auto send = [&](const Fd& fd) {
    try {
      sys::send_all(fd.get(), to_line(r));
      return true;
    } catch (const Error&) {
      return false; // whoever asked has gone, or does not listen
    }
  };
  if (verb_ && !send(verb_)) verb_.reset();
  if (r.kind == Report::Kind::locked) return;
  for (Client& c : clients_) c.deaf = c.deaf || !send(c.fd);
}

} // namespace banger::ops

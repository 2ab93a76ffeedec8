#include "ops/monitor.h"

#include <csignal>

#include <fcntl.h>

#include "core/error.h"
#include "core/text.h"
#include "guest/protocol.h"
#include "ops/vm_remove.h"
#include "sys/copy.h"
#include "sys/file.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

// A console or VMM log larger than `most` is cut from the front to `keep`. Looked at this often at
// the most, whatever a guest writes.
constexpr int64_t most_log = int64_t{8} << 20;
constexpr int64_t keep_log = int64_t{4} << 20;
constexpr Millis console_pause{100};

} // namespace

Monitor::Monitor(Context& ctx, MonitorRequest request, Fd verb)
    : ctx_(ctx), request_(std::move(request)), verb_(std::move(verb)),
      net_(ctx, request_.libexec_dir), net_watch_(ctx, net_, loop_) {}

int Monitor::run() {
  try {
    begin();
    loop_.run();
  } catch (const Error& e) {
    // Whatever failed, the VM must not be left half-made with nobody at its side.
    finish(VmState::failed, e.message(), e);
  }
  return status_;
}

void Monitor::begin() {
  vm_ = ctx_.state.get_vm(request_.vm);
  places_ = places_of(ctx_.dirs, ctx_.state.tag(), vm_);
  run_lock_ = sys::FileLock::try_take(places_.run_lock);
  if (!run_lock_) {
    // Not ours to end or to record: the VM has a monitor.
    report({Report::Kind::failed, {}, {}, conflict("'{}' has a monitor already", vm_.name), {}});
    ended_ = true;
    status_ = exit_status(Code::conflict);
    loop_.stop();
    return;
  }
  signals_ = sys::block_signals({SIGTERM, SIGINT, SIGHUP});
  loop_.watch(signals_.get(), [this] {
    if (sys::read_signal(signals_.get()) != SIGHUP) ask_stop(ctx_.settings.vm_stop_timeout);
  });
  vm_ = ctx_.state.change_vm(vm_.id, [&](Vm& v) {
    v.monitor_process = sys::this_process();
    v.runtime_dir = places_.runtime;
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
  console_offset_ = sys::find_info(places_.console)->size;
  vmm_log_ = sys::open_file(places_.vmm_log, O_WRONLY | O_CREAT | O_APPEND);
  console_watch_ = sys::watch_file(places_.console);
  loop_.watch(console_watch_.get(), [this] { on_console(); });
  if (request_.adopt) return adopt();
  prepared_ = prepare_boot(ctx_, net_, request_, places_, vm_);
  watch_network();
  start_vmm();
}

void Monitor::adopt() {
  auto fd = sys::open_process(vm_.vmm_process);
  if (!fd) return finish(VmState::failed, "unobserved", {});
  adopted_ = std::move(*fd);
  ready_ = true;
  view_.init_stage = "switch";
  console_reader_ = std::make_unique<guest::ConsoleReader>(
      [this](guest::ConsoleSign sign, const std::string& text) { view_.see(sign, text); });
  follow_vmm(adopted_.get());
  watch_network();
  record(ctx_, vm_.name, "vm.adopted", {{"pid", vm_.vmm_process.pid}});
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
        view_.see(sign, text);
        tell_stage();
      });
  if (!ready_) {
    vm_.timings = {};
    vm_.timings.prepare = static_cast<double>(wall_now().ns - request_.begun_ns) / 1e9;
  }
  phase_start_ = steady_now();
  vmm_ = std::make_unique<sys::Child>(spawn_vmm());
  auto identity = sys::find_process(vmm_->pid());
  vm_ = ctx_.state.change_vm(vm_.id, [&](Vm& v) {
    v.vmm_process = identity.value_or(ProcessId{});
    v.vmm = VmmKind::qemu;
    v.accel = request_.accel;
    v.vmm_api_socket = places_.runtime + "/" + vmm::qmp_socket;
    v.timings = vm_.timings;
  });
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
  auto [ours, theirs] = sys::socket_pair();
  await_ = std::make_unique<sys::Child>(
      sys::spawn({{request_.libexec_dir + "/banger-guest", "await"}, {}, {}, false},
                 {theirs.get(), theirs.get(), vmm_log_.get(), {}}));
  theirs.reset();
  guest::AwaitRequest ask;
  ask.endpoint = prepared_->endpoint;
  ask.seconds = 7 * 86400; // the verb has the deadline; a slow guest becomes ready all the same
  sys::send_all(ours.get(), guest::to_line(ask) + "\n");
  await_out_ = std::move(ours);
  await_lines_ = std::make_unique<sys::LineReader>(await_out_.get());
  loop_.watch(await_out_.get(), [this] { on_await(); });
}

void Monitor::on_await() {
  bool more = await_lines_->fill();
  while (auto line = await_lines_->buffered()) {
    guest::StageReport r = guest::parse_stage_report(*line);
    if (r.stage == guest::Stage::banner && view_.ssh < guest::Stage::banner)
      mark(vm_.timings, &BootTimings::userland);
    view_.ssh = r.stage;
    view_.ssh_detail = r.detail;
    if (r.stage == guest::Stage::ready) return on_ready();
    tell_stage();
  }
  if (!more) end_helper(await_);
}

void Monitor::on_ready() {
  end_helper(await_);
  if (knock_ != Knock::none) return; // it is being stopped
  mark(vm_.timings, &BootTimings::ready);
  ready_ = true;
  std::string small = not_grown(view_, prepared_->grows);
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
  report({Report::Kind::ready, "ready", small, {}, {}});
}

// The time since the phase before; a phase is marked once a boot.
void Monitor::mark(BootTimings& t, std::optional<double> BootTimings::*phase) {
  if (ready_ || t.*phase) return;
  auto now = steady_now();
  t.*phase = Seconds(now - phase_start_).count();
  phase_start_ = now;
}

void Monitor::on_console() {
  sys::drain_events(console_watch_.get());
  for (;;) {
    std::string bytes = sys::read_at(console_.get(), console_offset_, 65536);
    if (bytes.empty()) break;
    console_offset_ += static_cast<int64_t>(bytes.size());
    console_reader_->feed(bytes);
    if (console_offset_ > most_log) break; // cut first, whatever is still to be read
  }
  if (sys::find_info(places_.console)->size > most_log) {
    int64_t cut = sys::cut_front(console_.get(), keep_log);
    console_offset_ = std::max<int64_t>(0, console_offset_ - cut);
  }
  if (view_.halted && vmm_) vmm_->kill(SIGKILL); // it would idle for ever
  // A guest that floods its console must not keep this process busy.
  loop_.forget(console_watch_.get());
  loop_.after(ready_ ? console_pause : Millis(5), [this] {
    if (!ended_) loop_.watch(console_watch_.get(), [this] { on_console(); });
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
  on_console();
  loop_.forget(vmm_ ? vmm_->pidfd() : adopted_.get());
  if (control_ && control_->fd() >= 0) loop_.forget(control_->fd());
  control_.reset();
  std::string how = vmm_ ? vmm_->wait().text() : "no exit status";
  vmm_.reset();
  end_helper(await_);
  end_helper(poweroff_);

  if (knock_ != Knock::none)
    return finish(VmState::stopped, knock_ == Knock::kill ? "killed" : "", {});
  if (view_.panic) return finish(VmState::failed, "kernel panic: " + *view_.panic, boot_error());
  if (view_.init_fault && !ready_)
    return finish(VmState::failed, stage_of(view_).text, boot_error());
  if (view_.halted) return finish(VmState::stopped, "the guest halted", {});
  if (last_event_ == vmm::VmmEvent::guest_shutdown)
    return finish(VmState::stopped, "the guest powered off", {});
  if (last_event_ == vmm::VmmEvent::guest_reset) {
    if (vm_.remove_when_stopped) return finish(VmState::stopped, "the guest rebooted", {});
    record(ctx_, vm_.name, "vm.rebooted");
    // An adopted VM has no plan in this process yet.
    if (!prepared_) prepared_ = prepare_boot(ctx_, net_, request_, places_, vm_);
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

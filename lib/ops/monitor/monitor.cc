#include "ops/monitor/monitor.h"

#include <csignal>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "core/error.h"
#include "core/text.h"
#include "ops/monitor/confinement.h"
#include "ops/monitor/forwards.h"
#include "ops/monitor/look.h"
#include "sys/file.h"
#include "sys/proc.h"
#include "sys/socket.h"

namespace banger::ops {

namespace {

constexpr Millis next_record{1000};
constexpr int64_t room_for_log = 64 << 10;
constexpr const char* power_off = "poweroff || /sbin/poweroff || systemctl poweroff";
// The pauses between two looks at the console, so that a guest that floods it costs little.
constexpr Millis pause_while_booting{5}, pause{100};
// A VMM that has gone is seen at its process within this time; one that only stalls is not.
constexpr Millis time_to_be_seen{200};

constexpr int64_t said_to_all = 0; // a Report's id

Report paused_report(const std::string& reason) {
  return stage_report("paused", "it is paused: " + reason);
}

} // namespace

Monitor::Monitor(Context& ctx, MonitorRequest request, const vmm::Driver& driver, Fd verb)
    : ctx_(ctx), request_(std::move(request)), driver_(driver), row_(ctx),
      server_(loop_, {[this](const Client& client, const std::string& line) {
                        answer(client, parse_ask(line));
                      },
                      [this](const Error& e) {
                        ctx_.log.warn("monitor.client", e);
                        return to_line(failure_report(e));
                      },
                      [this](const Client& client) { greet(client); },
                      [this](const Client& client) { saving_.on_leave(client); },
                      [this](int pid) { return admits(pid); }}),
      vmm_(loop_, driver_,
           {[this](const Vmm::Exit& exit) { on_vmm_exit(exit); },
            [this](const auto& pause) { standstill_.take(pause, places_.runtime); },
            [this](const std::string& fault) {
              row_.note("vm.disk_fault", {{"fault", fault}});
            },
            [this](const std::string& line) { on_vmm_line(line); }}),
      standstill_(loop_, ctx_.log, vmm_, [this] { on_standstill(); }),
      saving_(loop_, ctx_.log, vmm_, standstill_, places_),
      stopper_(loop_, ctx_.log, vmm_,
               {[this](const BootStage& step) { report(stage_report(step.word, step.text)); },
                [this](Millis time) { return run_in_guest(ctx_, loop_, guest(), power_off, time); },
                [this] { record_stopping(); }, [this] { return standstill_.reason(); }}),
      verb_(server_.add(std::move(verb))), limits_(ctx_.log, row_, places_, vmm_, prepared_),
      restores_(!request_.saved.empty()) {}

int Monitor::run() {
  // A failure of any kind must not leave the VM half-made and without a monitor.
  auto guarded = [this](auto&& what) {
    try {
      what();
    } catch (const Error& e) {
      on_failure(e);
    } catch (const std::exception& e) {
      on_failure(failed("the monitor of '{}' failed: {}", vm().name, e.what()));
    }
  };
  guarded([this] { begin(); });
  while (phase_ != Phase::ended) guarded([this] { loop_.run(); });
  return status_;
}

// Until the VM is claimed a failure gives nothing back: another monitor made it, or a VMM uses it.
void Monitor::on_failure(const Error& e) {
  if (phase_ == Phase::releasing) return release(e);
  if (phase_ != Phase::claiming) return finish(VmState::failed, e.message(), e);
  report(failure_report(e));
  status_ = exit_status(e.code());
  phase_ = Phase::ended;
}

void Monitor::begin() {
  claim();
  listen();
  open_parts();
  if (request_.adopt) return adopt();
  prepare();
}

void Monitor::claim() {
  row_.read(request_.vm);
  places_ = places_of(ctx_.dirs, ctx_.state.tag(), vm());
  run_lock_ = sys::FileLock::try_take(places_.run_lock);
  if (!run_lock_) throw conflict("'{}' has a monitor already", vm().name);
  row_.claim(request_, places_.runtime);
  // Room is kept so that the VM's events can be written when its disk is full.
  bool has_room = ctx_.state.keep_room();
  auto told = sys::find_info(places_.lifecycle);
  if (!has_room || (told && !sys::keep_room(places_.lifecycle, told->size + room_for_log)))
    ctx_.log.info("monitor.no_room_kept");
  // A VM that is adopted is this monitor's only once all of it was taken over.
  if (!request_.adopt) phase_ = Phase::preparing;
}

void Monitor::listen() {
  signals_ = sys::block_signals({SIGTERM, SIGINT, SIGHUP});
  loop_.watch(signals_.get(), [this] {
    if (sys::read_signal(signals_.get()) != SIGHUP)
      ask_stop({"stop", request_.settings.vm_stop_timeout});
  });
  sys::make_dirs(places_.runtime);
  server_.listen(sys::listen_unix(places_.monitor_socket));
  // Told only once the socket listens: the verb gives up op.lock now, and the next may be a kill.
  if (auto verb = verb_.lock())
    verb->send(to_line(Report{Report::Kind::locked, {}, {}, {}, {}, said_to_all}));
}

void Monitor::open_parts() {
  typed_.emplace(loop_, driver_.serial_line(), places_.runtime, [this] { server_.resume(); });
  console_.emplace(
      loop_, places_.console, places_.vmm_log,
      [this](guest::ConsoleSign sign, const std::string& text) { on_sign(sign, text); });
  console_->rest_for(pause_while_booting);
  readiness_.emplace(loop_, ctx_.log, ctx_.dirs.libexec, console_->vmm_log(),
                     [this](const guest::StageReport& r) { on_stage(r); });
  network_.emplace(ctx_, loop_, vm(), request_.settings.net_isolated_outbound, console_->vmm_log());
  clock_.emplace(ctx_, loop_, [this]() -> std::optional<Guest> {
    if (phase_ != Phase::ready || !standstill_.reason().empty()) return {};
    return guest();
  });
  runner_.emplace(ctx_, loop_, vm(), [this] {
    row_.note("vm.abandoned");
    ask_stop({"kill"});
  });
}

void Monitor::adopt() {
  if (!vmm_.adopt(vm().vmm_process(), places_.runtime)) {
    phase_ = Phase::ready;
    return finish(VmState::failed, "unobserved", {});
  }
  is_still_told_ = vm().state == VmState::paused;
  standstill_.take_over(vm().reason);
  progress_.take_over(vm().timings);
  console_->rest_for(pause);
  network_->watch();
  phase_ = Phase::ready;
  limits_.enforce();
  row_.note("vm.adopted", {{"pid", vm().vmm_process().pid}});
  report({Report::Kind::ready, {}, {}, {}, {}});
}

void Monitor::prepare() {
  preparation_ = std::make_unique<Preparation>(
      ctx_, loop_, request_, places_, vm(), *readiness_, *network_, console_->vmm_log(),
      [this](std::expected<Prepared, Error> prepared) { on_prepared(std::move(prepared)); });
}

void Monitor::on_prepared(std::expected<Prepared, Error> prepared) {
  preparation_.reset();
  if (!prepared) throw std::move(prepared).error();
  prepared_ = std::move(*prepared);
  row_.read(vm().id); // its ports on the host were chosen meanwhile
  kernel_ = sys::open_file(request_.kernel, O_RDONLY);
  network_->watch();
  start_vmm();
}

void Monitor::start_vmm() {
  Network::Place place = network_->place(vm());
  prepared_->machine.net = place.net;
  prepared_->machine.kernel = keep_kernel(places_, request_.kernel, kernel_.get());
  bool restores = std::exchange(restores_, false);
  prepared_->machine.saved = restores ? request_.saved : "";
  std::string before = phase_ == Phase::restarting ? vm().confinement : "";
  vmm::Inside entry = entry_of(ctx_.dirs, places_, request_.settings, place.where, before);
  console_->begin();
  progress_.begin(steady_now(), static_cast<double>(wall_now().ns - request_.begun_ns) / 1e9,
                  restores);
  vmm_.start(prepared_->machine, places_.runtime, console_->vmm_log(), entry);
  require_cell_again(before, vmm_.is_in_cell());
  phase_ = progress_.was_ready() ? Phase::ready : Phase::booting;
  row_.started(request_, vmm_.id(), places_.runtime + "/" + driver_.api_socket(),
               confinement_of(entry, vmm_.is_in_cell()), progress_.timings());
  vmm_.boot(prepared_->machine,
            [this](std::optional<Error> fault) { on_booted(std::move(fault)); });
}

void Monitor::on_booted(std::optional<Error> fault) {
  if (stopper_.knock() != Knock::none || has_ended()) return;
  if (fault) {
    Error e = std::move(fault->within(fmt::format("cannot boot '{}'", vm().name)));
    e.default_subject(vm().name).default_log(places_.vmm_log);
    auto give_up = [this, e] { // one that is ending is told of with its reason
      if (!has_ended() && !vmm_.is_ending()) finish(VmState::failed, e.message(), e);
    };
    if (e.code() != Code::unreachable) return give_up();
    return void(loop_.after(time_to_be_seen, give_up));
  }
  if (const std::string& saved = prepared_->machine.saved; !saved.empty()) row_.restored(saved);
  tell_stage();
  if (phase_ == Phase::booting)
    readiness_->begin(prepared_->endpoint, progress_.view().has_userland());
}

void Monitor::on_sign(guest::ConsoleSign sign, const std::string& text) {
  progress_.see(sign, text, steady_now());
  readiness_->see(progress_.view().has_userland());
  if (sign == guest::ConsoleSign::halted && vmm_)
    vmm_.find_out_whether_halted([this](bool halted) {
      halted_ = halted;
      if (halted) vmm_.signal(SIGKILL);
    });
  tell_stage();
}

void Monitor::on_stage(const guest::StageReport& r) {
  progress_.see(r, steady_now());
  if (r.stage != guest::Stage::ready) {
    tell_stage();
    if (r.stage != guest::Stage::mismatch) return;
    // That is final, so the verbs that wait are told now. The guest goes on, so that people can
    // look at its console.
    readiness_->end();
    Error e = boot_error().hint(
        fmt::format("banger vm logs {0} shows its console, banger vm kill {0} ends it", vm().name));
    return report(failure_report(e));
  }
  readiness_->end();
  if (stopper_.knock() != Knock::none) return; // it is being stopped
  progress_.become_ready(steady_now());
  console_->rest_for(pause);
  phase_ = Phase::ready;
  if (!progress_.view().restored) return record_ready();
  clock_->set([this] { record_ready(); }); // it stands where the snapshot was made
}

// A log that cannot be written is no reason to end a guest that is well.
void Monitor::on_vmm_line(const std::string& line) {
  try {
    sys::write_all(console_->vmm_log(), line + "\n");
  } catch (const Error& e) {
    ctx_.log.warn("monitor.vmm_log", e);
  }
  ctx_.log.debug("vmm.said", {{"line", std::string_view(line)}});
}

void Monitor::tell_stage() {
  // Not before the VMM runs: the first stage says so.
  if (phase_ != Phase::booting) return;
  if (auto stage = progress_.news()) report(stage_report(stage->word, stage->text, stage->doing));
}

void Monitor::record_ready() {
  if (stopper_.knock() != Knock::none || has_ended()) return;
  std::string small = not_grown(progress_.view(), prepared_->grows);
  try {
    keep_host_key(places_);
    row_.ready(standstill_.reason(), progress_.timings(), vmm_ ? vmm_.running().version() : "",
               small);
  } catch (const Error& e) {
    // A full disk is no reason to end a guest that is well.
    ctx_.log.error("monitor.ready", e);
    report(stage_report("ready", "it is ready, but that cannot be recorded: " + e.message()));
    loop_.after(next_record, [this] { record_ready(); });
    return;
  }
  report({Report::Kind::ready, "ready", small, {}, {}});
}

void Monitor::on_standstill() {
  if (has_ended()) return;
  const std::string& reason = standstill_.reason();
  if (reason.empty()) stopper_.go_on();
  if (reason.empty() && is_still_told_ && progress_.was_ready()) clock_->set();
  if (!reason.empty() || is_still_told_)
    report(reason.empty() ? stage_report("resumed", "it goes on") : paused_report(reason));
  is_still_told_ = !reason.empty();
  record_standstill();
  saving_.on_standstill();
}

// A VM that was never ready stays `starting`, and its row has the reason why that takes so long.
void Monitor::record_standstill() {
  if (stopper_.knock() != Knock::none || has_ended()) return;
  const std::string& reason = standstill_.reason();
  VmState state = phase_ != Phase::ready ? VmState::starting
                  : reason.empty()       ? VmState::running
                                         : VmState::paused;
  try {
    row_.stands(state, reason);
  } catch (const Error& e) {
    ctx_.log.error("monitor.paused", e);
    return void(loop_.after(next_record, [this] { record_standstill(); }));
  }
  for (const Reply& r : std::exchange(pausers_, {})) r.done(std::string(name_of(state)));
}

void Monitor::change_standstill(const Reply& reply, bool still) {
  const std::string& reason = standstill_.reason();
  if (phase_ != Phase::ready || stopper_.knock() != Knock::none)
    return reply.refuse(conflict("it is not running"));
  // One that goes on by itself was not paused by this.
  if (still && !reason.empty() && reason != paused_on_request)
    return reply.refuse(conflict("it is paused: {}", reason));
  if (still == !reason.empty())
    return reply.done(std::string(name_of(still ? VmState::paused : VmState::running)));
  pausers_.push_back(reply);
  auto refuse = [this](const Error& e) {
    for (const Reply& r : std::exchange(pausers_, {})) r.refuse(e);
  };
  still ? standstill_.pause(paused_on_request, refuse) : standstill_.resume(refuse);
}

void Monitor::save(const Client& client, const Ask& ask) {
  Reply reply(client, ask);
  bool can_be = standstill_.reason().empty() || standstill_.is_asked_for();
  if (phase_ != Phase::ready || stopper_.knock() != Knock::none || !can_be)
    return reply.refuse(conflict("it is not running"));
  saving_.begin(client, reply);
}

void Monitor::release_saved(const Client& client, const Reply& reply) {
  if (stopper_.knock() != Knock::none) return reply.refuse(conflict("it was stopped meanwhile"));
  if (!saving_.holds_for(client, reply)) return;
  if (standstill_.reason() == paused_on_request)
    return reply.done(std::string(name_of(VmState::paused)));
  change_standstill(reply, false);
}

void Monitor::on_vmm_exit(const Vmm::Exit& exit) {
  if (has_ended()) return;
  bool was_still = !standstill_.reason().empty();
  saving_.end(conflict("it has ended meanwhile"));
  standstill_.end();
  clock_->drop();
  console_->read();
  readiness_->end();
  stopper_.end();
  std::string how = exit.status ? exit.status->text() : "no exit status";
  const BootView& view = progress_.view();
  End end = decide({vmm::ending(request_.vmm, exit.status, exit.events, view.last_words),
                    stopper_.knock(), was_still, halted_, exit.booted, progress_.was_ready(),
                    vm().remove_when_stopped, view, how});
  switch (end.next) {
  case End::Next::restart:
    row_.note("vm.rebooted");
    return restart();
  case End::Next::stopped:
    return finish(VmState::stopped, end.reason, {});
  case End::Next::failed:
    return finish(VmState::failed, end.reason, boot_error());
  case End::Next::died:
    break;
  }
  std::string message = fmt::format("the VMM of '{}' ended ({})", vm().name, how);
  std::string said = last_lines(escape_for_terminal(console_->vmm_tail()), 3);
  if (!progress_.was_ready() && !said.empty()) message += ": " + said;
  finish(VmState::failed, end.reason,
         failed("{}", message).subject(vm().name).log(places_.vmm_log));
}

void Monitor::restart() {
  phase_ = Phase::restarting;
  if (!prepared_) return prepare(); // an adopted VM has no plan in this process yet
  network_->join([this](std::optional<Error> fault) {
    if (fault) throw std::move(*fault);
    start_vmm();
  });
}

bool Monitor::admits(int pid) {
  if (vmm_.is_told_apart(pid)) return true;
  if (std::exchange(told_of_refusal_, vmm_.id()) != vmm_.id()) // else it could fill the log
    ctx_.log.warn("monitor.refused", {{"pid", pid}});
  return false;
}

// A client that joins is told the VM's stage, as the earlier clients were.
void Monitor::greet(const Client& client) {
  auto tell = [&](Report r) {
    r.id = said_to_all;
    client->send(to_line(r));
  };
  auto tell_stage = [&](const BootStage& s) { tell(stage_report(s.word, s.text, s.doing)); };
  if (has_ended()) return tell_stage({"leaving", "it has ended: giving back what it had"});
  if (stopper_.told()) return tell_stage(*stopper_.told());
  if (is_still_told_) return tell(paused_report(standstill_.reason()));
  if (phase_ == Phase::preparing) return tell_stage({"vmm", "starting the VMM"});
  if (phase_ == Phase::booting) return tell_stage(stage_of(progress_.view()));
}

void Monitor::answer(const Client& client, const Ask& ask) {
  Reply reply(client, ask);
  if (ask.verb == "stop" || ask.verb == "kill") {
    enders_.push_back(reply);
    return ask_stop(ask);
  }
  if (ask.verb == "pause" || ask.verb == "resume")
    return change_standstill(reply, ask.verb == "pause");
  if (ask.verb == "save") return save(client, ask);
  if (ask.verb == "limit") return limits_.change(ask.data, reply);
  if (ask.verb == "release") return release_saved(client, reply);
  if (ask.verb == "publish" || ask.verb == "unpublish")
    return change_forward(ask, vm(), vmm_, prepared_, reply);
  if (ask.verb == "memory" || ask.verb == "counters") {
    if (phase_ != Phase::ready || is_still_told_)
      return reply.refuse(conflict("it is not running"));
    return look(ask.verb, vmm_.running(), reply);
  }
  if (ask.verb == "console") {
    if (!typed_->send(ask.data)) client->pause();
    return reply.done();
  }
  reply.refuse(failed("the monitor does not know '{}'", ask.verb)
                   .hint("it is of another version: stop and start the VM"));
}

void Monitor::ask_stop(const Ask& ask) {
  bool at_once = ask.verb == "kill";
  is_killed_ = is_killed_ || at_once;
  if (at_once && leaving_) leaving_->hurry();
  if (has_ended() || phase_ == Phase::claiming) return;
  // Without a VMM there is no guest to ask: its preparation is ended.
  if (!vmm_) return finish(VmState::stopped, at_once ? "killed" : "", {});
  if (at_once) return stopper_.kill();
  if (standstill_.is_asked_for())
    standstill_.resume([this](const Error& e) { ctx_.log.warn("monitor.resume", e); });
  Millis timeout = ask.exact ? ask.timeout : scaled(ask.timeout, vm().accel.value_or(Accel::kvm));
  stopper_.ask({.was_ready = progress_.was_ready(), .timeout = timeout, .is_exact = ask.exact});
}

void Monitor::record_stopping() {
  try {
    row_.stopping();
  } catch (const Error& e) {
    ctx_.log.warn("vm.stop.record", e);
  }
}

Guest Monitor::guest() { return {places_, vm(), console_->vmm_log()}; }

void Monitor::report(Report r) {
  r.id = said_to_all;
  server_.send(to_line(r));
}

Error Monitor::boot_error() const {
  return progress_.fault(console_->console_tail()).subject(vm().name).log(places_.console);
}

void Monitor::finish(VmState state, std::string reason, std::optional<Error> fault) {
  if (has_ended()) return;
  phase_ = Phase::releasing;
  outcome_ = {state, std::move(reason), std::move(fault)};
  if (state == VmState::failed && !progress_.was_ready()) status_ = 1;
  preparation_.reset();
  stopper_.end();
  standstill_.end();
  clock_.reset();
  if (readiness_) readiness_->end();
  if (network_) network_->end();
  runner_.reset();
  int errors = console_ ? console_->vmm_log() : STDERR_FILENO;
  leaving_ = std::make_unique<Leaving>(
      ctx_, loop_,
      Leaving::Run{vmm_, network_, row_, places_, outcome_, progress_.timings(), errors},
      is_killed_, [this](std::optional<Error> left) { release(std::move(left)); });
}

void Monitor::release(std::optional<Error> left) {
  if (left) {
    // The VM stays as it is for the next command, which sees that it has no monitor.
    ctx_.log.error("monitor.release", *left);
    if (!outcome_.fault) outcome_.fault = left;
    status_ = 1;
  }
  // A verb that hears of the end may start the VM again at once.
  run_lock_.reset();
  bool has_failed = outcome_.fault && !progress_.was_ready() && stopper_.knock() == Knock::none;
  std::string state(name_of(outcome_.state));
  for (const Reply& reply : enders_) has_failed ? reply.refuse(*outcome_.fault) : reply.done(state);
  if (has_failed)
    report(failure_report(*outcome_.fault));
  else
    report({Report::Kind::ended, {}, outcome_.reason, {}, state});
  phase_ = Phase::ended;
  loop_.stop();
}

} // namespace banger::ops

// The monitor's second half: who asks it to stop, how it knocks, and how it ends.
#include <array>
#include <csignal>

#include "core/error.h"
#include "guest/boot/protocol.h"
#include "ops/monitor/monitor.h"
#include "ops/release/removal.h"
#include "sys/file.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

constexpr Millis term_timeout{3000}, time_to_die{10'000}, next_try{1000};

constexpr std::array<std::string_view, 5> knocks{"none", "keys", "ssh", "term", "kill"};

} // namespace

void Monitor::on_listener() {
  try {
    while (auto fd = sys::accept_one(listener_.get())) {
      sys::set_nonblocking(fd->get());
      Client& c = clients_.emplace_back(std::move(*fd));
      loop_.watch(c.fd.get(), [this, &c] { on_client(c); });
    }
  } catch (const Error& e) {
    // Of descriptors that are used up: no reason to end a VM.
    ctx_.log.warn("monitor.listen", {{"error", std::string_view(e.message())}});
    rest(listener_, next_try, [this] { on_listener(); });
  }
}

void Monitor::on_client(Client& c) {
  int fd = c.fd.get();
  try {
    bool more = c.lines.fill();
    while (auto line = c.paused ? std::nullopt : c.lines.buffered())
      if (!answer(c, parse_ask(*line))) {
        c.paused = true;
        loop_.forget(fd);
      }
    if (more || c.paused) return;
  } catch (const Error& e) {
    // A peer that sends rubbish, or speaks a newer version, loses its connection and nothing else.
    ctx_.log.warn("monitor.client", {{"error", std::string_view(e.message())}});
    try {
      sys::send_all(fd, to_line(Report{Report::Kind::failed, {}, {}, e, {}}));
    } catch (const Error&) {
      // It has gone, or does not listen.
    }
  } catch (const std::exception& e) {
    ctx_.log.warn("monitor.client", {{"error", std::string_view(e.what())}});
  }
  loop_.forget(fd);
  clients_.remove_if([&](const Client& x) { return &x == &c; });
}

// False when the client shall pause.
bool Monitor::answer(Client& c, const Ask& ask) {
  if (ask.verb == "stop") {
    ask_stop(ask.timeout);
  } else if (ask.verb == "kill") {
    knock_ = Knock::term;
    next_knock();
  } else if (ask.verb == "console") {
    return console_input_->send(ask.data);
  } else if (ask.verb == "publish" || ask.verb == "unpublish") {
    change_port(c, ask);
  } else {
    Error e = failed("the monitor does not know '{}'", ask.verb)
                  .hint("it is of another version: stop and start the VM");
    sys::send_all(c.fd.get(), to_line(Report{Report::Kind::failed, {}, {}, e, {}}));
  }
  return true;
}

void Monitor::let_clients_go_on() {
  for (Client& c : clients_) {
    if (!c.paused) continue;
    c.paused = false;
    // From the loop: what it sent already waits in its reader, and this may be called from there.
    loop_.after(Millis(0), [this, fd = c.fd.get()] {
      for (Client& x : clients_)
        if (x.fd.get() == fd) return on_client(x);
    });
    loop_.watch(c.fd.get(), [this, &c] { on_client(c); });
  }
}

void Monitor::ask_stop(Millis timeout) {
  if (knock_ != Knock::none) return; // under way
  stop_timeout_ = scaled(timeout, vm_.accel.value_or(Accel::kvm));
  next_knock();
}

void Monitor::next_knock() {
  if (ended_) return;
  bool first = knock_ == Knock::none || vm_.state != VmState::stopping;
  Millis wait{0};
  // A guest that has not come up has nothing to lose and nobody to hear a knock over ssh.
  switch (knock_) {
  case Knock::none:
    knock_ = control_ ? Knock::keys : Knock::term;
    break;
  case Knock::keys:
    knock_ = ready_ ? Knock::ssh : Knock::term;
    break;
  case Knock::ssh:
    knock_ = Knock::term;
    break;
  case Knock::term:
  case Knock::kill:
    knock_ = Knock::kill;
    break;
  }
  ctx_.log.info("vm.stop.step", {{"step", knocks[static_cast<size_t>(knock_)]}});
  switch (knock_) {
  case Knock::keys:
    report({Report::Kind::stage, "asking", "asking the guest to stop", {}, {}});
    try {
      control_->ask_to_stop();
    } catch (const Error&) {
      // The VMM is gone or deaf; the next step comes all the same.
    }
    wait = stop_timeout_;
    break;
  case Knock::ssh:
    report({Report::Kind::stage, "ssh", "asking the guest to power off over ssh", {}, {}});
    power_off_over_ssh();
    wait = std::max(stop_timeout_ / 2, Millis(1000));
    break;
  case Knock::term:
    report({Report::Kind::stage, "term", "ending the VMM", {}, {}});
    signal_vmm(SIGTERM);
    wait = term_timeout;
    break;
  case Knock::none:
  case Knock::kill:
    signal_vmm(SIGKILL);
    break;
  }
  if (knock_ != Knock::kill) loop_.after(wait, [this] { next_knock(); });
  if (!first) return;
  // After the knock: a state that cannot be written (a full disk) must not keep a VM from ending.
  try {
    vm_ = ctx_.state.change_vm(
        vm_.id, [](Vm& v) { v.state = VmState::stopping; }, outlives_of_runtime(ctx_.dirs.runtime));
  } catch (const Error& e) {
    ctx_.log.warn("vm.stop.record", {{"error", std::string_view(e.message())}});
  }
}

void Monitor::signal_vmm(int signal) {
  if (vmm_)
    vmm_->kill(signal);
  else
    sys::send_signal(vm_.vmm_process(), signal);
}

// Nothing that a VMM uses is taken away while it lives.
void Monitor::end_vmm() {
  if (vmm_) {
    vmm_->kill(SIGKILL);
    vmm_->wait();
    vmm_.reset();
  } else if (adopted_) {
    sys::send_signal(vm_.vmm_process(), SIGKILL);
    if (!sys::wait_readable(adopted_.get(), time_to_die))
      throw failed("cannot end the VMM of '{}', process {}: it does not die", vm_.name,
                   vm_.vmm_process().pid);
  }
}

void Monitor::power_off_over_ssh() {
  try {
    guest::RunRequest ask;
    ask.endpoint = endpoint_of(ctx_.dirs, places_, vm_);
    ask.command = "poweroff || /sbin/poweroff || systemctl poweroff";
    ask.seconds = Seconds(stop_timeout_).count();
    auto [ours, theirs] = sys::socket_pair();
    poweroff_ = std::make_unique<sys::Child>(
        sys::spawn({{request_.libexec_dir + "/banger-guest", "run"}, {}, {}, false},
                   {theirs.get(), -1, vmm_log_.get(), {}}));
    sys::send_all(ours.get(), guest::to_line(ask) + "\n");
  } catch (const Error& e) {
    ctx_.log.warn("monitor.poweroff", {{"error", std::string_view(e.message())}});
  }
}

void Monitor::end_await() {
  if (!await_) return;
  loop_.forget(await_->fd());
  await_.reset();
}

void Monitor::end_poweroff() {
  if (!poweroff_) return;
  poweroff_->kill(SIGKILL);
  poweroff_->wait();
  poweroff_.reset();
}

void Monitor::finish(VmState state, std::string reason, std::optional<Error> fault) {
  if (ended_) return;
  ended_ = true;
  if (state == VmState::failed && !ready_) status_ = 1;
  try {
    release(state, reason, fault);
  } catch (const Error& e) {
    ctx_.log.error("monitor.release", {{"error", std::string_view(e.message())}});
    if (!fault) fault = e;
    status_ = 1;
  }
  // A verb that hears of the end may start the VM again at once.
  run_lock_.reset();
  if (fault && !ready_ && knock_ == Knock::none)
    report({Report::Kind::failed, {}, {}, fault, {}});
  else
    report({Report::Kind::ended, {}, reason, {}, std::string(name_of(state))});
  loop_.stop();
}

void Monitor::release(VmState state, const std::string& reason, const std::optional<Error>& fault) {
  end_await();
  end_poweroff();
  end_vmm();
  leave_network();
  sys::remove_tree(places_.runtime);
  ctx_.state.transaction([&] {
    ctx_.state.change_vm(vm_.id, [&](Vm& v) {
      v.state = state;
      v.reason = reason;
      v.stopped = wall_now();
      v.run.reset();
      v.timings = vm_.timings;
      if (fault)
        v.fault = VmFault{std::string(name_of(fault->code())), fault->message(), fault->hint(),
                          fault->log()};
    });
    record(ctx_, vm_.name, state == VmState::failed ? "vm.failed" : "vm.stopped",
           {{"reason", reason}});
  });
  if (vm_.remove_when_stopped) remove_vm_rest(ctx_, vm_);
}

} // namespace banger::ops

#include "banger-vm/session.h"
#include "banger-vm/spec_options.h"
#include "banger-vm/verbs.h"
#include "ops/vm_create.h"
#include "ops/vm_exec.h"
#include "ops/vm_remove.h"
#include "ops/vm_start.h"
#include "ops/vm_stop.h"

namespace banger::vm {

namespace {

struct Run : cli::Verb {
  SpecOptions options;
  std::string name;
  std::optional<std::string> timeout;
  std::vector<std::string> command;
  bool no_wait = false, rm = false, foreground = false;

  void declare(cli::Spec& spec) override {
    using cli::Complete;
    options.declare(spec);
    spec.options.insert(spec.options.end(),
                        {{"--timeout",
                          "DURATION",
                          "how long the guest may take to answer",
                          "60s",
                          Complete::nothing,
                          {},
                          &timeout},
                         {"--no-wait",
                          "",
                          "return as soon as the VMM was started",
                          "",
                          Complete::nothing,
                          {},
                          &no_wait},
                         {"--rm",
                          "",
                          "remove the VM when it stops; with a command, stop it after that",
                          "",
                          Complete::nothing,
                          {},
                          &rm},
                         {"--foreground",
                          "",
                          "stay until the VM has ended; SIGTERM and SIGINT stop it",
                          "",
                          Complete::nothing,
                          {},
                          &foreground}});
    spec.operands = {{"NAME", "name of the new VM", true, Complete::nothing, &name}};
    spec.tail = &command;
    spec.tail_name = "CMD";
    spec.tail_help = "run this in the guest once it is ready, and give its status";
  }

  int run(cli::App& app) override {
    VmSpec spec = options.to_spec(name, app.settings);
    spec.remove_when_stopped = rm;
    ops::StartOptions start;
    start.wait = !no_wait;
    if (timeout) start.timeout = parse_duration("timeout", *timeout);
    if (no_wait && !command.empty())
      throw usage("--no-wait and a command do not go together")
          .hint("leave --no-wait out: a command needs a guest that is ready");
    if (foreground && !command.empty())
      throw usage("--foreground and a command do not go together");
    Session session(app);
    if (options.dry_run) {
      ops::plan_create(session.ctx, spec);
      return 0;
    }
    SteadyTime began = steady_now();
    Vm vm = ops::create_vm(session.ctx, spec);
    auto say = [&](const Vm& now) {
      session.progress.done();
      if (!command.empty()) return; // its output is the result
      say_result(app, now, Seconds(steady_now() - began).count());
      app.out.flush();
    };
    try {
      if (foreground) {
        Vm ended = ops::run_foreground(session.ctx, vm.id, start, say);
        return ended.state == VmState::failed ? exit_status(Code::failed) : 0;
      }
      vm = ops::start_vm(session.ctx, vm.id, start);
    } catch (const Error&) {
      // With --rm nothing stays, least of all what did not come up.
      if (rm && session.state.find_vm_by_id(vm.id)) ops::remove_vm(session.ctx, vm.id, true);
      throw;
    }
    say(vm);
    if (command.empty()) return 0;
    int status = ops::run_in_guest(session.ctx, vm, command);
    if (rm && session.state.find_vm_by_id(vm.id)) {
      session.progress.stage(vm.name, "stopping");
      ops::stop_vm(session.ctx, vm.id, {});
    }
    return status;
  }

  static void say_result(cli::App& app, const Vm& vm, double seconds) {
    if (app.out.json)
      app.out.object("result", {{"verb", "run"},
                                {"name", vm.name},
                                {"ok", true},
                                {"state", name_of(vm.state)},
                                {"seconds", seconds},
                                {"error", nullptr}});
    else if (app.out.quiet)
      app.out.line(vm.name);
    else
      app.out.line(fmt::format("{}: {}", vm.name, name_of(vm.state)));
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_run() { return std::make_unique<Run>(); }

} // namespace banger::vm

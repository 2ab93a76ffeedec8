#include "banger-vm/session.h"
#include "banger-vm/spec_options.h"
#include "banger-vm/start_options.h"
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
  StartOptions start;
  std::vector<std::string> command;
  bool rm = false, foreground = false;

  void declare(cli::Spec& spec) override {
    using cli::Complete;
    options.declare(spec);
    start.declare(spec);
    spec.options.insert(spec.options.end(),
                        {{"--rm",
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
    ops::StartOptions how = start.get();
    if (start.no_wait && !command.empty())
      throw usage("--no-wait and a command do not go together")
          .hint("leave --no-wait out: a command needs a guest that is ready");
    if (foreground && !command.empty())
      throw usage("--foreground and a command do not go together");
    Session session(app);
    if (options.dry_run) {
      ops::CreatePlan plan = ops::plan_create(session.ctx, spec);
      session.ctx.notice(fmt::format("'{}' would be made from '{}' by {}, {} large, and started",
                                     name, plan.image.name, name_of(plan.root.way),
                                     format_size(plan.root.size)));
      say_result(app, name, "absent", 0);
      return 0;
    }
    SteadyTime began = steady_now();
    Vm vm = ops::create_vm(session.ctx, spec);
    auto say = [&](const Vm& now) {
      session.progress.done();
      if (!command.empty()) return; // its output is the result
      say_result(app, now.name, name_of(now.state), Seconds(steady_now() - began).count());
      app.out.flush();
    };
    try {
      if (foreground) {
        Vm ended = ops::run_foreground(session.ctx, vm.id, how, say);
        return ended.state == VmState::failed ? exit_status(Code::failed) : 0;
      }
      vm = ops::start_vm(session.ctx, vm.id, how);
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

  static void say_result(cli::App& app, const std::string& name, std::string_view state,
                         double seconds) {
    std::set<int> none;
    cli::tell(app, "run", {name, std::string(state), seconds}, none);
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_run() { return std::make_unique<Run>(); }

} // namespace banger::vm

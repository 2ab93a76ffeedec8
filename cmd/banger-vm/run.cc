#include "ops/vm/run.h"
#include "banger-vm/batch.h"
#include "banger-vm/spec_options.h"
#include "banger-vm/start_options.h"
#include "banger-vm/verbs.h"
#include "ops/dns/autostart.h"

namespace banger::tool {

namespace {

struct Run : cli::Verb {
  SpecOptions options;
  std::string name;
  StartOptions start;
  std::vector<std::string> command;
  bool rm = false, foreground = false;

  void declare(cli::Spec& spec) override {
    options.declare(spec);
    start.declare(spec);
    spec.options.insert(
        spec.options.end(),
        {{.flags = "--rm",
          .help = "remove the VM when it stops; with a command, after that, or when "
                  "this process dies",
          .target = &rm,
          .destroys = true},
         {.flags = "--foreground",
          .help = "stay until the VM has ended; TERM, INT and HUP stop it",
          .target = &foreground}});
    spec.operands = {{.name = "NAME",
                      .help = "name of the new VM; --rm needs none",
                      .required = false,
                      .target = &name}};
    spec.tail = &command;
    spec.tail_name = "CMD";
    spec.tail_help = "run this in the guest once it is ready, and give its status";
  }

  int run(cli::App& app) override {
    if (name.empty() && !rm)
      throw usage("no NAME given")
          .hint("only a VM that --rm removes needs none; see banger vm run "
                "--help");
    if (name.empty()) name = "run-" + new_id().substr(0, 6);
    VmSpec spec = options.to_spec(name, app.settings);
    spec.remove_when_stopped = rm;
    ops::StartOptions how = start.get();
    if (start.no_wait && !command.empty())
      throw usage("--no-wait and a command do not go together")
          .hint("leave --no-wait out: a command needs a guest that is ready");
    if (foreground && !command.empty())
      throw usage("--foreground and a command do not go together");
    Batch batch(app, options.dry_run ? state::Mode::read : state::Mode::write);
    if (options.dry_run) {
      say_plan(batch.ctx, ops::plan_create(batch.ctx, spec, true));
      say_result(app, name, created(true), 0);
      return 0;
    }
    ops::DnsAutostart dns(batch.ctx, app.common_words());
    how.on_begin = [&] { dns.begin(); };
    SteadyTime began = steady_now();
    return ops::run_vm(
        batch.ctx, {spec, how, command, app.common_words(), foreground}, [&](const Vm& now) {
          dns.settle(); // the command may ask for names
          batch.progress.done();
          if (!command.empty()) return; // its output is the result
          say_result(app, now.name, started(now, true), Seconds(steady_now() - began).count());
          app.out.flush();
          app.notice(now.state == VmState::running
                         ? fmt::format("banger ssh {} gets in", now.name)
                         : fmt::format("it boots: banger vm wait {0} waits until it answers, "
                                       "banger ssh {0} gets in then",
                                       now.name));
        });
  }

private:
  static void say_result(cli::App& app, const std::string& name, cli::Done done, double seconds) {
    std::set<int> none;
    cli::tell(app, "run", {name, std::move(done), seconds}, none);
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_run() { return std::make_unique<Run>(); }

} // namespace banger::tool

#include "ops/vm/stop.h"
#include "banger-vm/selection.h"
#include "banger-vm/session.h"
#include "banger-vm/start_options.h"
#include "banger-vm/verbs.h"

namespace banger::vm {

namespace {

constexpr auto that_run = {VmState::starting, VmState::running, VmState::paused, VmState::stopping};

struct Stop : cli::Verb {
  Selection which;
  std::optional<Millis> timeout;
  std::optional<size_t> jobs;

  void declare(cli::Spec& spec) override {
    spec.options = {stop_timeout_option("--timeout", timeout), jobs_option(jobs)};
    which.declare(spec, "VM to stop");
  }

  int run(cli::App& app) override {
    auto query = which.query_in(that_run);
    Session session(app);
    return session.on_each("stop", ops::select_vms(session.ctx, query), jobs,
                           [&](ops::Context& ctx, const std::string& name) -> cli::Done {
                             return {std::string(name_of(ops::stop_vm(ctx, name, timeout).state))};
                           });
  }
};

struct Kill : cli::Verb {
  Selection which;
  std::optional<size_t> jobs;

  void declare(cli::Spec& spec) override {
    spec.options = {jobs_option(jobs)};
    which.declare(spec, "VM to kill");
  }

  int run(cli::App& app) override {
    auto query = which.query_in(that_run);
    Session session(app);
    return session.on_each("kill", ops::select_vms(session.ctx, query), jobs,
                           [&](ops::Context& ctx, const std::string& name) -> cli::Done {
                             return {std::string(name_of(ops::kill_vm(ctx, name).state))};
                           });
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_stop() { return std::make_unique<Stop>(); }
std::unique_ptr<cli::Verb> make_kill() { return std::make_unique<Kill>(); }

} // namespace banger::vm

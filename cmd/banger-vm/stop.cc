#include "ops/vm/stop.h"
#include "banger-vm/batch.h"
#include "banger-vm/selection.h"
#include "banger-vm/start_options.h"
#include "banger-vm/verbs.h"

namespace banger::tool {

namespace {

constexpr auto that_run = {VmState::starting, VmState::running, VmState::paused, VmState::stopping};

// How a VM has failed goes on being told by list and show, after a stop of it too.
cli::Done ended(ops::Context& ctx, const ops::Reached& r) {
  cli::Done done{name_of(r.vm.state), r.changed};
  if (!r.changed) {
    ctx.notice(fmt::format("'{}' did not run", r.vm.name));
    if (r.vm.state == VmState::failed) done.said = "not running";
  }
  return done;
}

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
    Batch batch(app);
    return batch.on_each("stop", query, jobs,
                         [&](ops::Context& ctx, const std::string& name) -> cli::Done {
                           return ended(ctx, ops::stop_vm(ctx, name, timeout));
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
    Batch batch(app);
    return batch.on_each("kill", query, jobs,
                         [&](ops::Context& ctx, const std::string& name) -> cli::Done {
                           return ended(ctx, ops::kill_vm(ctx, name));
                         });
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_stop() { return std::make_unique<Stop>(); }
std::unique_ptr<cli::Verb> make_kill() { return std::make_unique<Kill>(); }

} // namespace banger::tool

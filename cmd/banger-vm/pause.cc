#include "ops/vm/pause.h"
#include "banger-vm/batch.h"
#include "banger-vm/selection.h"
#include "banger-vm/start_options.h"
#include "banger-vm/verbs.h"

namespace banger::tool {

namespace {

struct Pausing {
  const char* verb;
  const char* operand; // its help
  const char* was_so;
  VmState sensible; // the state of those that --all means
  ops::Reached (*act)(ops::Context& ctx, const std::string& ref);
};

constexpr Pausing pausing{"pause", "VM to pause", "was paused", VmState::running, ops::pause_vm};
constexpr Pausing resuming{"resume", "VM to let go on", "ran", VmState::paused, ops::resume_vm};

struct Pause : cli::Verb {
  explicit Pause(const Pausing& which_one) : what(which_one) {}

  const Pausing& what;
  Selection which;
  std::optional<size_t> jobs;

  void declare(cli::Spec& spec) override {
    spec.options = {jobs_option(jobs)};
    which.declare(spec, what.operand);
  }

  int run(cli::App& app) override {
    auto query = which.query_in({what.sensible});
    Batch batch(app);
    return batch.on_each(what.verb, query, jobs,
                         [&](ops::Context& ctx, const std::string& name) -> cli::Done {
                           ops::Reached r = what.act(ctx, name);
                           if (!r.changed)
                             ctx.notice(fmt::format("'{}' {} already", r.vm.name, what.was_so));
                           return {name_of(r.vm.state), r.changed};
                         });
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_pause() { return std::make_unique<Pause>(pausing); }
std::unique_ptr<cli::Verb> make_resume() { return std::make_unique<Pause>(resuming); }

} // namespace banger::tool

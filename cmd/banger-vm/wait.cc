#include "ops/query/wait.h"
#include "banger-vm/selection.h"
#include "banger-vm/verbs.h"
#include "cli/app.h"
#include "cli/each.h"
#include "core/clock.h"
#include "ops/common/open.h"

namespace banger::tool {

namespace {

struct Wait : cli::Verb {
  Selection which;
  std::string goal = "running";
  std::optional<Millis> timeout;

  void declare(cli::Spec& spec) override {
    spec.options = {{.flags = "--for",
                     .value = "STATE",
                     .help = "what to wait for; ready is another word for running",
                     .fallback = "running",
                     .target = {cli::one_of({"running", "ready", "stopped"}), &goal}},
                    {.flags = "--timeout",
                     .value = "DURATION",
                     .help = "how long to wait",
                     .fallback = "for ever",
                     .target = {cli::Duration{}, &timeout}}};
    which.declare(spec, "VM to wait for");
  }

  int run(cli::App& app) override {
    auto query = which.query();
    ops::Reading in(app.settings, app.dirs);
    cli::Progress progress(app.progress);
    std::vector<std::string> names = ops::select_vms(in, query);
    std::string whom = names.size() == 1 ? names[0] : fmt::format("{} VMs", names.size());
    progress.stage("", fmt::format("waiting for {} to be {}", whom, goal));
    std::set<int> statuses;
    SteadyTime began = steady_now();
    ops::wait_for_vms(
        in, names, goal == "stopped" ? ops::WaitFor::stopped : ops::WaitFor::running, timeout,
        [&](ops::Waited w) {
          double seconds = Seconds(steady_now() - began).count();
          cli::tell(app, "wait", {w.name, {w.state, false}, seconds, std::move(w.error)}, statuses);
        });
    return cli::common_status(statuses);
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_wait() { return std::make_unique<Wait>(); }

} // namespace banger::tool

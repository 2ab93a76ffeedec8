#include "banger-vm/batch.h"
#include "banger-vm/selection.h"
#include "banger-vm/verbs.h"
#include "ops/vm/remove.h"

namespace banger::tool {

namespace {

struct Remove : cli::Verb {
  Selection which;
  std::optional<size_t> jobs;
  bool force = false;

  void declare(cli::Spec& spec) override {
    spec.options = {{.flags = "-f,--force",
                     .help = "kill it first if it runs",
                     .target = &force,
                     .destroys = true},
                    jobs_option(jobs)};
    which.declare(spec, "VM to remove");
  }

  int run(cli::App& app) override {
    auto query = which.query();
    Batch batch(app);
    return batch.on_each("rm", query, jobs,
                         [&](ops::Context& ctx, const std::string& name) -> cli::Done {
                           ops::remove_vm(ctx, name, force);
                           return std::string("removed");
                         });
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_rm() { return std::make_unique<Remove>(); }

} // namespace banger::tool

#include "ops/vm/reset.h"
#include "banger-vm/batch.h"
#include "banger-vm/selection.h"
#include "banger-vm/verbs.h"

namespace banger::tool {

namespace {

struct Reset : cli::Verb {
  Selection which;
  std::optional<std::string> image;
  std::optional<size_t> jobs;

  void declare(cli::Spec& spec) override {
    spec.options = {{.flags = "--image",
                     .value = "IMAGE",
                     .help = "image to make the new root disk from",
                     .fallback = "the one it was made from",
                     .complete = cli::Complete::images,
                     .target = &image},
                    jobs_option(jobs)};
    which.declare(spec, "VM to reset");
  }

  int run(cli::App& app) override {
    auto query = which.query_in({VmState::stopped, VmState::failed});
    Batch batch(app);
    return batch.on_each(
        "reset", query, jobs, [&](ops::Context& ctx, const std::string& name) -> cli::Done {
          cli::Done done(std::string(name_of(ops::reset_vm(ctx, name, image).state)));
          done.said = "reset";
          return done;
        });
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_reset() { return std::make_unique<Reset>(); }

} // namespace banger::tool

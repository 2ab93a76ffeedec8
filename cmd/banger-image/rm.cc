#include "banger-image/verbs.h"
#include "common/work.h"
#include "ops/image/store.h"

namespace banger::tool {

namespace {

struct Remove : cli::Verb {
  std::vector<std::string> names;

  void declare(cli::Spec& spec) override {
    spec.operands = {{.name = "NAME",
                      .help = "image to remove; - reads names from standard input",
                      .complete = cli::Complete::images,
                      .target = &names}};
  }

  int run(cli::App& app) override {
    std::vector<std::string> wanted = cli::read_names(names);
    Work work(app);
    return work.for_each(app, "rm", wanted, [&](const std::string& name) {
      ops::remove_image(work.ctx, name);
      return std::string("removed");
    });
  }
};

struct Prune : cli::Verb {
  bool dry_run = false;

  void declare(cli::Spec& spec) override {
    spec.options = {{.flags = "--dry-run", .help = "only say which", .target = &dry_run}};
  }

  int run(cli::App& app) override {
    Work work(app);
    std::vector<std::string> unused;
    for (const Image& image : ops::list_images(work.ctx))
      if (image.vms == 0) unused.push_back(image.name);
    return work.for_each(app, "prune", unused, [&](const std::string& name) -> cli::Done {
      if (dry_run) return {"unused", false};
      try {
        ops::remove_image(work.ctx, name);
        return std::string("removed");
      } catch (const Error&) {
        // Nobody named it: another command may have been faster, or may have taken it into use.
        auto now = work.ctx.state.find_image(name);
        if (!now) return {"removed", false};
        if (now->vms == 0) throw;
        return {"used", false};
      }
    });
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_rm() { return std::make_unique<Remove>(); }
std::unique_ptr<cli::Verb> make_prune() { return std::make_unique<Prune>(); }

} // namespace banger::tool

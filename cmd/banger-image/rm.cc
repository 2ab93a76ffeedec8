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
      if (dry_run) return cli::Done("unused");
      try {
        ops::remove_image(work.ctx, name);
        return cli::Done("removed");
      } catch (const Error& e) {
        // Nobody named it, and what it was chosen for is so no more: another command has removed
        // it, or made a VM of it.
        if (e.code() == Code::not_found) return cli::Done("removed", false);
        if (e.code() == Code::conflict) return cli::Done("in use", false);
        throw;
      }
    });
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_rm() { return std::make_unique<Remove>(); }
std::unique_ptr<cli::Verb> make_prune() { return std::make_unique<Prune>(); }

} // namespace banger::tool

#include "banger-bundle/verbs.h"
#include "bundle/show.h"
#include "cli/app.h"

namespace banger::tool {

namespace {

class Verify : public cli::Verb {
public:
  void declare(cli::Spec& spec) override {
    spec.options = {{.flags = "--runtime-dir",
                     .value = "DIR",
                     .help = "the bundle's directory",
                     .fallback = "found",
                     .complete = cli::Complete::directories,
                     .target = &dir_}};
    spec.operands = {{.name = "PART",
                      .help = "a part to check; without any, all are",
                      .required = false,
                      .target = &parts_}};
  }

  int run(cli::App& app) override {
    if (dir_) app.settings.runtime_dir = *dir_;
    bundle::FoundBundle found = bundle::find_runtime_bundle(app.settings, app.dirs);
    std::vector<std::string> parts =
        parts_.empty() ? bundle::part_names(found.bundle) : cli::read_names(parts_);
    cli::Progress progress(app.progress);
    return app.for_each("verify", parts, [&](const std::string& part) {
      progress.stage(part, "reading");
      bundle::verify_bundle_part(found.bundle, part);
      progress.done();
      return std::string("ok");
    });
  }

private:
  std::optional<std::string> dir_;
  std::vector<std::string> parts_;
};

} // namespace

std::unique_ptr<cli::Verb> make_verify() { return std::make_unique<Verify>(); }

} // namespace banger::tool

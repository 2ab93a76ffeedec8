#include <filesystem>

#include <nlohmann/json.hpp>

#include "banger-bundle/verbs.h"
#include "bundle/build.h"
#include "bundle/show.h"
#include "cli/app.h"

namespace banger::tool {

namespace {

class Build : public cli::Verb {
public:
  void declare(cli::Spec& spec) override {
    spec.options = {
        {.flags = "--suite",
         .value = "SUITE",
         .help = "the Debian release, by its code name",
         .fallback = "bookworm",
         .target = &wish_.suite},
        {.flags = "--variant",
         .value = "VARIANT",
         .help = "the root file system",
         .fallback = "debian",
         .target = {cli::one_of({"debian", "tiny"}), &wish_.variant}},
        {.flags = "--out",
         .value = "DIR",
         .help = "where to build it",
         .fallback = "the runtime directory",
         .complete = cli::Complete::directories,
         .target = &out_},
        {.flags = "--force", .help = "build even what has not changed", .target = &wish_.force}};
  }

  int run(cli::App& app) override {
    std::string origin = "configured";
    if (out_) {
      if (out_->empty()) throw usage("--out needs a directory");
      wish_.out = std::filesystem::absolute(*out_).lexically_normal().string();
    } else {
      std::tie(wish_.out, origin) = bundle::bundle_build_dir(app.settings, app.dirs);
    }
    cli::Progress progress(app.progress);
    auto begin = steady_now();
    bundle::BundleBuilt built = bundle::build_bundle(
        wish_, app.dirs, app.log, [&](std::string_view stage) { progress.stage("bundle", stage); });
    progress.done();
    if (app.out.json) {
      app.out.object("bundle", bundle::bundle_object({built.bundle, origin}));
    } else if (app.out.quiet) {
      app.out.line(built.bundle.name);
    } else if (built.built.empty()) {
      app.out.line(fmt::format("{} in {} is up to date", built.bundle.name, wish_.out));
    } else {
      app.out.line(fmt::format("{} in {}: built {} in {}", built.bundle.name, wish_.out,
                               fmt::join(built.built, ", "),
                               format_duration(steady_now() - begin)));
    }
    return 0;
  }

private:
  bundle::BundleWish wish_;
  std::optional<std::string> out_;
};

} // namespace

std::unique_ptr<cli::Verb> make_build() { return std::make_unique<Build>(); }

} // namespace banger::tool

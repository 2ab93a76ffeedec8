#include <nlohmann/json.hpp>

#include "banger-bundle/verbs.h"
#include "bundle/show.h"
#include "cli/app.h"

namespace banger::tool {

namespace {

class Show : public cli::Verb {
public:
  void declare(cli::Spec& spec) override {
    spec.options = {{.flags = "--runtime-dir",
                     .value = "DIR",
                     .help = "the bundle's directory",
                     .fallback = "found",
                     .complete = cli::Complete::directories,
                     .target = &dir_}};
  }

  int run(cli::App& app) override {
    if (dir_) app.settings.runtime_dir = *dir_;
    bundle::FoundBundle found = bundle::find_runtime_bundle(app.settings, app.dirs);
    if (app.out.json) {
      app.out.object("bundle", bundle::bundle_object(found));
      return 0;
    }
    if (app.out.quiet) {
      app.out.line(found.bundle.name);
      return 0;
    }
    app.out.line(fmt::format("{} in {} ({})", found.bundle.name, found.bundle.path, found.origin));
    cli::Table table({{.title = "PART"},
                      {.title = "SIZE", .right = true},
                      {.title = "SHA256", .goes = 2},
                      {.title = "FILE", .shrink = true, .goes = 1}});
    for (const auto& part : found.bundle.parts)
      table.row({part.name, format_size(part.size), part.sha256.substr(0, 12), part.file});
    app.out.table(table);
    return 0;
  }

private:
  std::optional<std::string> dir_;
};

} // namespace

std::unique_ptr<cli::Verb> make_show() { return std::make_unique<Show>(); }

} // namespace banger::tool

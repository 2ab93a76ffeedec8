#include <nlohmann/json.hpp>

#include "banger-image/verbs.h"
#include "cli/app.h"
#include "core/units.h"
#include "model/wire.h"
#include "ops/common/open.h"
#include "ops/image/stale.h"
#include "ops/image/store.h"

namespace banger::tool {

namespace {

void show_text(cli::App& app, const Image& image) {
  auto line = [&](const char* key, const std::string& value) { app.out.fact(key, 10, value); };
  line("name", image.name);
  line("id", image.id);
  line("size", fmt::format("{}, {} on the host", format_size(image.size), format_size(image.used)));
  line("vms", fmt::format("{}", image.vms));
  line("source", image.source);
  line("created", to_rfc3339(image.created));
  line("sha256", image.sha256);
  line("root", app.dirs.image_root(image.id));
}

struct Show : cli::Verb {
  std::vector<std::string> names;

  void declare(cli::Spec& spec) override {
    spec.operands = {{.name = "NAME",
                      .help = "image to show; - reads names from standard input",
                      .complete = cli::Complete::images,
                      .target = &names}};
  }

  int run(cli::App& app) override {
    ops::Reading in(app.settings, app.dirs);
    std::set<int> failures;
    bool first = true;
    for (const std::string& name : cli::read_names(names)) {
      try {
        Image image = ops::view_image(in, name);
        if (app.out.json) {
          app.out.object("image", to_json(image, app.dirs, ops::is_stale(app.dirs, image)));
        } else if (app.out.quiet) {
          app.out.line(image.name);
        } else {
          if (!first) app.out.line("");
          show_text(app, image);
          if (auto text = ops::stale_notice(app.dirs, image); !text.empty()) app.notice(text);
        }
        first = false;
      } catch (const Error& e) {
        app.out.push();
        cli::report(app.tool(), e, app.out.json);
        failures.insert(exit_status(e.code()));
      }
    }
    return cli::common_status(failures);
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_show() { return std::make_unique<Show>(); }

} // namespace banger::tool

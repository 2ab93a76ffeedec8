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

struct List : cli::Verb {
  void declare(cli::Spec&) override {}

  int run(cli::App& app) override {
    ops::Reading in(app.settings, app.dirs);
    cli::Table table({{.title = "NAME"},
                      {.title = "SIZE", .right = true, .goes = 2},
                      {.title = "USED", .right = true, .goes = 4},
                      {.title = "VMS", .right = true, .goes = 3},
                      {.title = "CREATED", .goes = 5},
                      {.title = "SOURCE", .shrink = true, .goes = 1}});
    std::vector<std::string> stale;
    for (const Image& image : ops::list_images(in)) {
      if (app.out.json) {
        app.out.object("image", to_json(image, app.dirs, ops::is_stale(app.dirs, image)));
      } else if (app.out.quiet) {
        app.out.line(image.name);
      } else {
        if (auto text = ops::stale_notice(app.dirs, image); !text.empty()) stale.push_back(text);
        table.row({image.name, format_size(image.size), format_size(image.used),
                   fmt::format("{}", image.vms), to_rfc3339(image.created).substr(0, 10),
                   image.source});
      }
    }
    if (!app.out.json && !app.out.quiet && !table.empty()) app.out.table(table);
    for (const std::string& text : stale) app.notice(text);
    return 0;
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_list() { return std::make_unique<List>(); }

} // namespace banger::tool

// banger ssh sync
#include <nlohmann/json.hpp>

#include "banger-ssh/verbs.h"
#include "cli/app.h"
#include "core/units.h"
#include "ops/common/open.h"
#include "ops/ssh/sync.h"

namespace banger::tool {

namespace {

struct Sync : cli::Verb {
  std::string from, to;
  bool watch = false, remove = false;
  std::vector<std::string> exclude;

  void declare(cli::Spec& spec) override {
    using cli::Complete;
    spec.options = {{.flags = "--watch",
                     .help = "stay, and sync again whenever something changes here",
                     .target = &watch},
                    {.flags = "--delete",
                     .help = "remove from the target what the source does not have",
                     .target = &remove,
                     .destroys = true},
                    {.flags = "--exclude",
                     .value = "PATTERN",
                     .help = "leave out what matches rsync's PATTERN; may be given again",
                     .target = &exclude}};
    spec.operands = {{.name = "SRC",
                      .help = "a directory here, or NAME:PATH in a VM",
                      .complete = Complete::directories,
                      .target = &from},
                     {.name = "DST",
                      .help = "where its content goes: a directory here, or NAME:PATH in a VM",
                      .complete = Complete::directories,
                      .target = &to}};
  }

  int run(cli::App& app) override {
    ops::SyncRequest request{ops::parse_copy_place(from), ops::parse_copy_place(to), remove, watch,
                             exclude};
    ops::check_sync(request);
    ops::Reading in(app.settings, app.dirs);
    ops::ssh_sync(in, request, [&](double seconds) {
      if (app.out.json)
        app.out.object("result", cli::result_json("sync", from, {}, seconds, {}));
      else if (watch)
        app.notice(fmt::format("'{}' is the same as '{}' now ({})", to, from,
                               format_duration(Seconds(seconds))));
      app.out.flush();
    });
    return 0;
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_sync() { return std::make_unique<Sync>(); }

} // namespace banger::tool

#include "ops/dns/serve.h"
#include "banger-dns/verbs.h"
#include "cli/app.h"

namespace banger::tool {

namespace {

struct Serve : cli::Verb {
  void declare(cli::Spec&) override {}

  int run(cli::App& app) override {
    ops::serve_dns(app.settings, app.dirs, app.log, [&](const ops::DnsDaemon& d) {
      app.notice(fmt::format("answers for .{} at {}", d.zone, to_text(d.listen)));
    });
    return 0;
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_serve() { return std::make_unique<Serve>(); }

} // namespace banger::tool

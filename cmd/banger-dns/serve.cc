#include "ops/dns/serve.h"
#include "banger-dns/verbs.h"
#include "cli/app.h"

namespace banger::tool {

namespace {

struct Serve : cli::Verb {
  ops::ServeDns how;

  void declare(cli::Spec& spec) override {
    spec.options = {{.flags = "--replace",
                     .help = "take over from the daemon of this state that there is",
                     .target = &how.replace},
                    {.flags = "--background",
                     .help = "let a newer banger that starts a VM take its place",
                     .target = &how.background},
                    {.flags = "--idle",
                     .value = "DURATION",
                     .help = "end when no VM has run for that long",
                     .target = {cli::Duration{}, &how.idle}}};
  }

  int run(cli::App& app) override {
    ops::serve_dns(app.settings, app.dirs, app.log, how, [&](const ops::DnsDaemon& d) {
      app.notice(fmt::format("answers for .{} at {}", d.zone, to_text(d.listen)));
    });
    return 0;
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_serve() { return std::make_unique<Serve>(); }

} // namespace banger::tool

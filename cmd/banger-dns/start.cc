// start, stop, restart.
#include "banger-dns/verbs.h"
#include "cli/app.h"
#include "ops/dns/background.h"

namespace banger::tool {

namespace {

constexpr const char* subject = "dns";

std::string said(const ops::DnsDaemon& d) {
  return fmt::format("answers for .{} at {} (pid {})", d.zone, to_text(d.listen), d.process.pid);
}

struct Start : cli::Verb {
  void declare(cli::Spec&) override {}

  int run(cli::App& app) override {
    return app.for_each("start", {subject}, [&](const std::string&) {
      ops::StartedDns started = ops::start_dns(app.settings, app.dirs, false, app.common_words());
      cli::Done done("running", started.changed);
      done.said = said(started.daemon);
      return done;
    });
  }
};

struct Stop : cli::Verb {
  void declare(cli::Spec&) override {}

  int run(cli::App& app) override {
    return app.for_each("stop", {subject}, [&](const std::string&) {
      return cli::Done("stopped", ops::stop_dns(app.settings, app.dirs));
    });
  }
};

struct Restart : cli::Verb {
  void declare(cli::Spec&) override {}

  int run(cli::App& app) override {
    return app.for_each("restart", {subject}, [&](const std::string&) {
      cli::Done done("running", true);
      done.said = said(ops::start_dns(app.settings, app.dirs, true, app.common_words()).daemon);
      return done;
    });
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_start() { return std::make_unique<Start>(); }
std::unique_ptr<cli::Verb> make_stop() { return std::make_unique<Stop>(); }
std::unique_ptr<cli::Verb> make_restart() { return std::make_unique<Restart>(); }

} // namespace banger::tool

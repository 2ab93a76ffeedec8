// install, uninstall.
#include <nlohmann/json.hpp>

#include "banger-dns/verbs.h"
#include "cli/app.h"
#include "core/text.h"
#include "ops/dns/install.h"

namespace banger::tool {

namespace {

constexpr const char* subject = "dns";

struct Install : cli::Verb {
  bool dry_run = false;

  void declare(cli::Spec& spec) override {
    spec.options = {{.flags = "--dry-run",
                     .help = "say what would be written and run, and change nothing",
                     .target = &dry_run}};
  }

  int run(cli::App& app) override {
    if (dry_run) return show(app, ops::plan_install(app.settings)), 0;
    return app.for_each("install", {subject}, [&](const std::string&) {
      ops::ResolverPlan plan = ops::plan_install(app.settings);
      auto written = ops::install(app.settings, app.dirs, app.log, plan,
                                  [&](std::string_view text) { app.notice(text); });
      cli::Done done("installed", !written.empty());
      done.said = fmt::format("{} asks {} for .{}", plan.resolver, to_text(app.settings.dns_listen),
                              app.settings.dns_zone);
      return done;
    });
  }

private:
  static void show(cli::App& app, const ops::ResolverPlan& plan) {
    if (app.out.json) return app.out.object("resolver", to_json(plan));
    if (app.out.quiet) {
      for (const ops::ResolverFile& file : plan.files) app.out.line(file.path);
      return;
    }
    app.out.line("# " + plan.resolver);
    for (const ops::ResolverFile& file : plan.files) {
      app.out.line(fmt::format("# {}:", file.path));
      app.out.line(trim(file.content));
    }
    for (const ops::Words& command : plan.put_in) app.out.line("# then: " + ops::to_text(command));
  }
};

struct Uninstall : cli::Verb {
  void declare(cli::Spec&) override {}

  int run(cli::App& app) override {
    return app.for_each("uninstall", {subject}, [&](const std::string&) {
      auto removed =
          ops::uninstall(app.settings, app.dirs, [&](std::string_view text) { app.notice(text); });
      return cli::Done("absent", !removed.empty());
    });
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_install() { return std::make_unique<Install>(); }
std::unique_ptr<cli::Verb> make_uninstall() { return std::make_unique<Uninstall>(); }

} // namespace banger::tool

#include <nlohmann/json.hpp>

#include "banger-vm/verbs.h"
#include "cli/app.h"
#include "common/work.h"
#include "core/text.h"
#include "ops/recover/leaks.h"

namespace banger::tool {

namespace {

// What no row tells of is no VM's to be made true: it is told, and left.
// True: there was something to tell.
bool tell_leaks(cli::App& app, ops::Reader& in) {
  if (app.out.json || app.out.quiet) return false; // nobody would read it
  bool told = false;
  auto tell = [&](const std::string& what, const std::string& mend) {
    app.notice(mend.empty() ? what : fmt::format("{}; to mend it: {}", what, mend));
    told = true;
  };
  try {
    auto found = ops::find_leaks(in, tell);
    if (!found.empty())
      tell(fmt::format("{} of what earlier runs left {} of no VM: banger doctor --leaks",
                       found.size(), found.size() == 1 ? "is" : "are"),
           {});
  } catch (const Error& e) { // it fails no reconciling that has succeeded
    tell(fmt::format("what earlier runs left was not looked at: {}", e.message()), e.hint());
  }
  return told;
}

struct Reconcile : cli::Verb {
  void declare(cli::Spec&) override {}

  int run(cli::App& app) override {
    Work work(app);
    work.progress.done();
    std::set<int> failures;
    const std::vector<ops::Reconciled>& all = work.ctx.settled;
    for (const ops::Reconciled& r : all) {
      if (app.out.json)
        app.out.object("reconciled",
                       {{"id", r.id},
                        {"name", r.name},
                        {"found", r.found},
                        {"done", r.done.empty() ? cli::Json() : cli::Json(r.done)},
                        {"state", r.vm ? cli::Json(name_of(r.vm->state)) : cli::Json()},
                        {"error", r.error ? cli::error_json(*r.error) : cli::Json()}});
      else if (app.out.quiet)
        app.out.line(r.name);
      else if (!r.error)
        app.out.line(fmt::format("{}: found {}; {}", r.name, r.found, r.done));
      if (!r.error) continue;
      app.out.push();
      cli::report(app.tool(), *r.error, app.out.json);
      failures.insert(exit_status(r.error->code()));
    }
    bool leaks = tell_leaks(app, work.ctx);
    if (all.empty() && !leaks) app.notice("everything is in order");
    return cli::common_status(failures);
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_reconcile() { return std::make_unique<Reconcile>(); }

} // namespace banger::tool

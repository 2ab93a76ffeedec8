#include "ops/query/probe.h"

#include <nlohmann/json.hpp>

#include "banger-net/verbs.h"
#include "cli/app.h"
#include "core/text.h"
#include "ops/common/open.h"

namespace banger::tool {

namespace {

constexpr size_t indent = 18; // "address  skipped  "

void show(cli::App& app, const ops::ProbeTry& t) {
  std::string text = t.found;
  if (!t.at.empty()) text += fmt::format(" [{}]", t.at);
  if (!t.to.empty()) text = fmt::format("{}: {}", t.to, text);
  app.out.fact(fmt::format("{:<7}  {:<7}", t.test, name_of(t.outcome)), indent, text);
  // Commands are never broken, so that they can be copied.
  if (!t.fix.empty())
    app.out.line(fmt::format("{:{}}fix: {}", "", indent, escape_for_terminal(t.fix)));
}

struct Probe : cli::Verb {
  std::string name;
  std::optional<ops::Outside> to;

  void declare(cli::Spec& spec) override {
    spec.options = {{.flags = "--to",
                     .value = "HOST:PORT",
                     .help = "where outside the guest is to get, by TCP: an address or a name",
                     .target = {cli::As<ops::parse_outside>{}, &to}}};
    spec.operands = {{.name = "NAME",
                      .help = "VM whose traffic is tried",
                      .complete = cli::Complete::vms,
                      .target = &name}};
  }

  int run(cli::App& app) override {
    ops::Reading in(app.settings, app.dirs);
    ops::Probe probe = ops::probe_vm(in, name, to);
    std::vector<std::string> lost;
    for (const ops::ProbeTry& t : probe.tries) {
      bool is_lost = t.outcome == ops::ProbeTry::Outcome::lost;
      if (is_lost) lost.push_back(t.test);
      if (app.out.json)
        app.out.object("probe", to_json(probe.vm, t));
      else if (!app.out.quiet)
        show(app, t);
      else if (is_lost)
        app.out.line(t.test);
    }
    if (probe.arrives()) return 0;
    app.out.flush();
    throw Error(Code::unreachable,
                fmt::format("traffic of '{}' does not arrive: {}", probe.vm.name, join(lost, ", ")))
        .subject(probe.vm.name);
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_probe() { return std::make_unique<Probe>(); }

} // namespace banger::tool

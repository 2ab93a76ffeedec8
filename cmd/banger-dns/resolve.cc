#include <nlohmann/json.hpp>

#include "banger-dns/verbs.h"
#include "cli/app.h"
#include "ops/dns/records.h"

namespace banger::tool {

namespace {

struct Resolve : cli::Verb {
  std::string name;

  void declare(cli::Spec& spec) override {
    spec.operands = {{.name = "NAME",
                      .help = "VM, full name, or address whose name is asked for",
                      .complete = cli::Complete::vms,
                      .target = &name}};
  }

  int run(cli::App& app) override {
    for (const ops::DnsRecord& r : ops::resolve(app.settings, name)) {
      if (app.out.json)
        app.out.object("record", to_json(r));
      else
        app.out.line(r.data);
    }
    return 0;
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_resolve() { return std::make_unique<Resolve>(); }

} // namespace banger::tool

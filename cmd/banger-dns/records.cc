#include <nlohmann/json.hpp>

#include "banger-dns/verbs.h"
#include "cli/app.h"
#include "ops/common/open.h"
#include "ops/dns/records.h"

namespace banger::tool {

namespace {

struct Records : cli::Verb {
  void declare(cli::Spec&) override {}

  int run(cli::App& app) override {
    ops::Reading in(app.settings, app.dirs);
    cli::Table table({{.title = "NAME"}, {.title = "TYPE"}, {.title = "DATA"}});
    for (const ops::DnsRecord& r : ops::dns_records(in)) {
      if (app.out.json)
        app.out.object("record", to_json(r));
      else if (app.out.quiet)
        app.out.line(r.name);
      else
        table.row({r.name, r.type, r.data});
    }
    if (!table.empty()) app.out.table(table);
    return 0;
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_records() { return std::make_unique<Records>(); }

} // namespace banger::tool

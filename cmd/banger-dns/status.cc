#include <nlohmann/json.hpp>

#include "banger-dns/verbs.h"
#include "cli/app.h"
#include "ops/dns/status.h"

namespace banger::tool {

namespace {

struct Status : cli::Verb {
  void declare(cli::Spec&) override {}

  int run(cli::App& app) override {
    if (app.out.quiet && !app.out.json)
      return app.out.line(ops::find_dns_daemon(app.dirs) ? "up" : "down"), 0;
    ops::DnsStatus s = ops::dns_status(app.settings, app.dirs);
    if (app.out.json) return app.out.object("dns", to_json(s, app.settings, app.dirs)), 0;
    auto line = [&](const char* key, const std::string& value) { app.out.fact(key, 10, value); };
    if (!s.daemon) {
      line("dns", fmt::format("down: names of .{} are not answered", app.settings.dns_zone));
      line("listen", to_text(app.settings.dns_listen));
      if (s.holder) line("taken by", to_text(*s.holder));
      return 0;
    }
    const ops::DnsDaemon& d = *s.daemon;
    line("dns", d.reads_state ? "up" : "up, but it cannot read the state: it answers SERVFAIL");
    line("listen", fmt::format("{}, UDP and TCP", to_text(d.listen)));
    line("zone", d.zone);
    line("daemon", fmt::format("pid {}, banger {}", d.process.pid, d.version));
    if (d.idle) line("stays", fmt::format("until no VM has run for {}", format_duration(*d.idle)));
    const ops::HostResolver& host = *s.host;
    line("this host", fmt::format("{}: {}",
                                  !host.asks   ? "whether it asks here cannot be told"
                                  : *host.asks ? "asks here"
                                               : "does not ask here",
                                  host.how));
    line("records", fmt::format("{}, of {} VMs that run", 2 * d.hosts, d.hosts));
    line("queries", fmt::format("{}", d.queries));
    line("changes", fmt::format("{}", d.generation));
    line("log", app.dirs.log_file());
    return 0;
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_status() { return std::make_unique<Status>(); }

} // namespace banger::tool

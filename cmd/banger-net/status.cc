#include <nlohmann/json.hpp>

#include "banger-net/verbs.h"
#include "cli/app.h"
#include "core/text.h"
#include "ops/common/open.h"
#include "ops/query/net_status.h"

namespace banger::tool {

namespace {

std::string drops_text(const ops::NetStatus::Drops& drops) {
  std::string out;
  for (const auto& [reason, packets] : drops)
    if (packets) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", packets, reason);
  return out.empty() ? "-" : out;
}

std::string ways_text(const ops::NetStatus& s) {
  std::string out;
  for (const auto& l : s.leases)
    if (l.slirp) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", l.vm.name, l.slirp.pid);
  return out.empty() ? "none" : "slirp4netns of each VM, by pid: " + out;
}

void show_host(cli::App& app, const ops::NetStatus::HostNet& h) {
  auto line = [&](const char* key, const std::string& value) { app.out.fact(key, 10, value); };
  line("bridge",
       fmt::format("{}, {}, {}", h.bridge, h.subnet, h.up ? "up" : "made again by the next start"));
  line("uplinks", !h.blind.empty()    ? "not known: " + h.blind
                  : !h.up             ? "not known until the bridge is made again"
                  : h.uplinks.empty() ? "none: this host has no default route"
                                      : join(h.uplinks, ", "));
  for (const auto& f : h.faults) {
    line("fault", f.text);
    // Commands are never broken, so that they can be copied.
    app.out.line(fmt::format("{:<10}{}", "fix", escape_for_terminal(f.mend)));
  }
  if (h.resolver) line("names", fmt::format("answered at {} by pid {}", h.gateway, h.resolver.pid));
}

void show_head(cli::App& app, const ops::NetStatus& s) {
  auto line = [&](const char* key, const std::string& value) { app.out.fact(key, 10, value); };
  if (s.host) show_host(app, *s.host);
  bool is_alone = s.host && !s.up; // of the private network there is nothing to say
  if (!is_alone)
    line(s.host ? "private" : "network",
         s.up ? fmt::format("up, in the private namespace {}", s.net_id)
              : "down: it is made for the first VM that needs it");
  line("new VMs", s.mode);
  line("because", s.why);
  // Commands are never broken, so that they can be copied.
  if (!s.mend.empty()) app.out.line(fmt::format("{:<10}{}", "fix", escape_for_terminal(s.mend)));
  if (!is_alone)
    line("subnet", fmt::format("{}, out by {}, resolver {}", s.subnet, s.gateway, s.resolver));
  if (!s.up) return;
  line("bridge", s.bridge);
  line("holder", fmt::format("pid {}", s.holder.pid));
  line("names", s.resolver_process
                    ? fmt::format("answered at {} by pid {}", s.resolver, s.resolver_process.pid)
                    : "of VMs are not answered to guests");
  line("ways out", ways_text(s));
  line("dropped", drops_text(s.dropped));
}

struct Status : cli::Verb {
  void declare(cli::Spec&) override {}

  int run(cli::App& app) override {
    ops::Reading in(app.settings, app.dirs);
    ops::NetStatus s = ops::net_status(in);
    if (app.out.json) return app.out.object("net", to_json(s)), 0;
    if (app.out.quiet) return app.out.line(s.up || (s.host && s.host->up) ? "up" : "down"), 0;
    show_head(app, s);
    cli::Table leases({{.title = "VM"},
                       {.title = "STATE", .goes = 3},
                       {.title = "NET", .goes = 4},
                       {.title = "ADDRESS"},
                       {.title = "TAP", .goes = 5},
                       {.title = "DROPPED", .shrink = true, .goes = 2}});
    for (const auto& l : s.leases)
      leases.row({l.vm.name, std::string(name_of(l.vm.state)), std::string(name_of(l.vm.net_mode)),
                  l.vm.address, l.tap.empty() ? "-" : l.tap, drops_text(l.dropped)});
    cli::Table forwards({{"HOST", false, false}, {"GUEST", false, false}, {"VM", false, true}});
    for (const auto& f : s.forwards)
      forwards.row({fmt::format("{}:{}/{}", f.port.host_address, f.port.host, f.port.proto),
                    fmt::format("{}:{}", f.guest, f.port.guest), f.vm.empty() ? "-" : f.vm});
    for (const cli::Table* table : {&leases, &forwards}) {
      if (table->empty()) continue;
      app.out.line("");
      app.out.table(*table);
    }
    return 0;
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_status() { return std::make_unique<Status>(); }

} // namespace banger::tool

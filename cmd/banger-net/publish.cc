#include <nlohmann/json.hpp>

#include "banger-net/verbs.h"
#include "cli/app.h"
#include "common/work.h"
#include "core/text.h"
#include "model/port.h"
#include "ops/common/open.h"
#include "ops/query/net_status.h"
#include "ops/vm/publish.h"

namespace banger::tool {

namespace {

struct Publish : cli::Verb {
  std::string name;
  std::vector<std::vector<Port>> asked;
  bool remove = false;

  void declare(cli::Spec& spec) override {
    spec.options = {
        {.flags = "--remove", .help = "stop publishing them", .target = &remove, .destroys = true}};
    spec.operands = {{.name = "NAME",
                      .help = "VM whose ports they are",
                      .complete = cli::Complete::vms,
                      .target = &name},
                     {.name = "[ADDR:]HOST:GUEST[/udp]",
                      .help = "port of the host and of the guest, or a range of each",
                      .required = false,
                      .target = {cli::As<parse_ports>{}, &asked}}};
  }

  int run(cli::App& app) override {
    std::vector<Port> ports = merged(asked);
    if (ports.empty() && remove)
      throw usage("nothing to remove").hint("banger net publish NAME lists what there is");
    if (ports.empty()) return list(app);
    Work work(app);
    ops::Context& ctx = work.ctx;
    return work.for_each(app, "publish", {name}, [&](const std::string& ref) {
      auto [vm, ports_done, changed] =
          remove ? ops::unpublish_ports(ctx, ref, ports) : ops::publish_ports(ctx, ref, ports);
      cli::Done done(name_of(vm.state), changed);
      if (!changed) ctx.notice(fmt::format("'{}' published that already", vm.name));
      for (const PortRun& run : runs_of(ports_done))
        done.said += fmt::format("{}{}{}", done.said.empty() ? "" : "\n", to_text(run),
                                 remove ? " removed" : "");
      return done;
    });
  }

  int list(cli::App& app) {
    ops::Reading in(app.settings, app.dirs);
    Vm vm = in.state.get_vm(name);
    cli::Table table({{"HOST", false, false}, {"GUEST", true, false}, {"PROTO", false, false}});
    for (const Port& p : vm.ports) {
      if (app.out.json)
        app.out.object("port", ops::to_json(vm, p));
      else if (app.out.quiet)
        app.out.line(to_text(p));
      else
        table.row(
            {fmt::format("{}:{}", p.host_address, p.host), fmt::format("{}", p.guest), p.proto});
    }
    if (!table.empty()) app.out.table(table);
    return 0;
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_publish() { return std::make_unique<Publish>(); }

} // namespace banger::tool

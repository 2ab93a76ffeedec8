#include "ops/vm/publish.h"
#include "banger-net/verbs.h"
#include "cli/app.h"
#include "common/work.h"
#include "core/text.h"
#include "model/port.h"
#include "ops/common/open.h"
#include "ops/query/net_status.h"

namespace banger::network {

namespace {

struct Publish : cli::Verb {
  std::string name;
  std::vector<std::string> specs;
  bool remove = false;

  void declare(cli::Spec& spec) override {
    spec.options = {{"--remove", "", "end them instead", "", cli::Complete::nothing, {}, &remove}};
    spec.operands = {{"NAME", "VM whose ports they are", true, cli::Complete::vms, &name},
                     {"[ADDR:]HOST:GUEST[/udp]", "port of the host and of the guest", false,
                      cli::Complete::nothing, &specs}};
  }

  int run(cli::App& app) override {
    if (specs.empty() && remove)
      throw usage("nothing to remove").hint("banger net publish NAME lists what there is");
    if (specs.empty()) return list(app);
    std::vector<Port> ports;
    for (const std::string& s : specs) ports.push_back(parse_port(s));
    cmd::Work work(app);
    ops::Context& ctx = work.ctx;
    return app.for_each("publish", {name}, [&](const std::string& ref) {
      Vm vm = remove ? ops::unpublish_ports(ctx, ref, ports) : ops::publish_ports(ctx, ref, ports);
      return std::string(name_of(vm.state));
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

} // namespace banger::network

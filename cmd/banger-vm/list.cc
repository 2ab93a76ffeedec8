#include "banger-vm/verbs.h"
#include "cli/app.h"
#include "model/wire.h"
#include "ops/vm_view.h"

namespace banger::vm {

namespace {

std::string uptime(const Vm& vm) {
  if (vm.state != VmState::running && vm.state != VmState::paused) return "-";
  return format_duration(Seconds(static_cast<double>(wall_now().ns - vm.started.ns) / 1e9));
}

struct List : cli::Verb {
  std::vector<std::string> labels;
  std::optional<std::string> state;

  void declare(cli::Spec& spec) override {
    using cli::Complete;
    spec.options = {
        {"--state",
         "STATE",
         "only VMs in this state",
         "",
         Complete::words,
         {"creating", "stopped", "starting", "running", "paused", "stopping", "failed", "removing"},
         &state},
        {"--label", "KEY=VALUE", "only VMs with this label", "", Complete::nothing, {}, &labels}};
  }

  int run(cli::App& app) override {
    ops::VmFilter filter;
    if (state) filter.state = parse_vm_state(*state);
    for (const std::string& l : labels) filter.labels.insert(parse_label(l));
    auto db = state::State::open(app.dirs, state::Mode::read);
    std::vector<Vm> vms = ops::list_vms(db, app.dirs, filter);
    cli::Table table({{"NAME", false, true},
                      {"STATE"},
                      {"IMAGE", false, true},
                      {"CPUS", true},
                      {"MEMORY", true},
                      {"SSH AT", false, true},
                      {"UP", true}});
    for (const Vm& vm : vms) {
      if (app.out.json)
        app.out.object("vm", to_json(vm, app.dirs, {}));
      else if (app.out.quiet)
        app.out.line(vm.name);
      else
        table.row({vm.name, std::string(name_of(vm.state)), vm.image_name,
                   fmt::format("{}", vm.cpus), format_size(vm.memory),
                   fmt::format("{}:{}", vm.reach, vm.ssh_port), uptime(vm)});
    }
    if (app.out.json || app.out.quiet) return 0;
    if (table.empty())
      app.notice("no VMs; banger vm run NAME makes one and starts it");
    else
      app.out.table(table);
    return 0;
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_list() { return std::make_unique<List>(); }

} // namespace banger::vm

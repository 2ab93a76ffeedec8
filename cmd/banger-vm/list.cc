#include <map>

#include "banger-vm/selection.h"
#include "banger-vm/verbs.h"
#include "banger-vm/watch.h"
#include "cli/app.h"
#include "cli/terminal.h"
#include "model/wire.h"
#include "ops/common/open.h"
#include "ops/query/disk_use.h"

namespace banger::tool {

namespace {

std::string uptime(const Vm& vm) {
  if (vm.state != VmState::running && vm.state != VmState::paused) return "-";
  return format_duration(Seconds(static_cast<double>(wall_now().ns - vm.started.ns) / 1e9));
}

std::string labels_of(const Vm& vm) {
  std::string out;
  for (const auto& [key, value] : vm.labels)
    out += fmt::format("{}{}={}", out.empty() ? "" : " ", key, value);
  return out;
}

cli::Table table_of(const std::vector<Vm>& vms) {
  std::vector<cli::Table::Column> columns = {{"NAME"},
                                             {"STATE"},
                                             {.title = "IMAGE", .shrink = true, .goes = 3},
                                             {.title = "CPUS", .right = true, .goes = 5},
                                             {.title = "MEMORY", .right = true, .goes = 4},
                                             {.title = "SSH AT", .goes = 1},
                                             {.title = "UP", .right = true, .goes = 2}};
  bool labels = false, still = false;
  for (const Vm& vm : vms) {
    labels = labels || !vm.labels.empty();
    still = still || vm.state == VmState::paused;
  }
  if (labels) columns.push_back({.title = "LABELS", .shrink = true, .goes = 6});
  // The reason why a VM is paused, which no user asked for: without the column it would be missed.
  if (still) columns.push_back({"WHY", false, true});
  cli::Table table(columns);
  for (const Vm& vm : vms) {
    std::vector<std::string> row{vm.name,
                                 std::string(name_of(vm.state)),
                                 vm.image_name,
                                 fmt::format("{}", vm.cpus),
                                 format_size(vm.memory),
                                 fmt::format("{}:{}", vm.reach, vm.ssh_port),
                                 uptime(vm)};
    if (labels) row.push_back(labels_of(vm));
    if (still) row.push_back(vm.state == VmState::paused ? vm.reason : "");
    table.row(row);
  }
  return table;
}

struct List : cli::Verb {
  Selection which;
  Watch watch;
  std::map<std::string, std::string> told; // by id, with --watch --json

  void declare(cli::Spec& spec) override {
    which.declare(spec, "VM to list");
    watch.declare(spec, "show the list again every --interval; with --json only what changed");
  }

  int run(cli::App& app) override {
    ops::VmQuery query = which.query_or_all();
    std::set<int> failures;
    std::set<std::string> reported;
    ops::Reading in(app.settings, app.dirs);
    int status = watch.run(app, [&] {
      if (in.state.is_absent()) in.state = state::State::open(app.dirs, state::Mode::read);
      std::vector<std::string> unknown;
      std::vector<Vm> vms = ops::find_vms(in, query, unknown);
      for (const std::string& ref : unknown)
        if (reported.insert(ref).second) failures.insert(report_unknown(app, in, ref));
      return print(app, vms, unknown.empty());
    });
    return status ? status : cli::common_status(failures);
  }

private:
  std::string print(cli::App& app, const std::vector<Vm>& vms, bool all_known) {
    if (!app.out.json && !app.out.quiet) {
      if (!vms.empty()) {
        std::string warning = watch.watch ? "" : ops::shortage(app.dirs, vms);
        if (!warning.empty()) app.notice(warning);
        return table_of(vms).text(cli::output_width());
      }
      if (watch.watch) return "no VMs\n";
      if (all_known)
        app.notice(which.is_narrowed() ? "no VM matches"
                                       : "no VMs; banger vm run NAME makes one and starts it");
      return {};
    }
    for (const Vm& vm : vms) {
      if (!app.out.json) {
        app.out.line(vm.name);
        continue;
      }
      std::string text = to_text(vm, app.dirs, app.settings.dns_zone);
      if (watch.watch && std::exchange(told[vm.id], text) == text) continue;
      app.out.object_text("vm", text);
    }
    return {};
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_list() { return std::make_unique<List>(); }

} // namespace banger::tool

#include <functional>
#include <optional>

#include "banger-vm/selection.h"
#include "banger-vm/verbs.h"
#include "cli/app.h"
#include "core/text.h"
#include "model/confinement.h"
#include "model/port.h"
#include "model/wire.h"
#include "model/zone.h"
#include "ops/common/open.h"
#include "ops/dns/status.h"
#include "ops/net/nature.h"
#include "ops/query/disk_use.h"

namespace banger::tool {

namespace {

std::string timings(const BootTimings& t) {
  std::string out;
  auto add = [&](const char* name, std::optional<double> seconds) {
    if (seconds) out += fmt::format("{}{} {:.2f}s", out.empty() ? "" : ", ", name, *seconds);
  };
  add("prepare", t.prepare);
  add("vmm", t.vmm);
  add("kernel", t.kernel);
  add("userland", t.userland);
  add("ready", t.ready);
  return out;
}

// `fault`: why names of VMs do not resolve on this host.
std::string name_of_vm(const Vm& vm, const std::string& zone, const std::string& fault) {
  std::string name = full_name(vm.name, zone);
  if (fault.empty()) return name + " resolves on this host";
  return fmt::format("{} is not found: {}", name, fault);
}

std::string confined(const Vm& vm) {
  if (vm.confinement.empty()) return "no";
  auto open = left_open(parse_confinement(vm.confinement), ops::nature_of(vm.net_mode).is_private);
  std::string more = open.empty() ? "" : "; open to it: " + join(open, ", ");
  return "to its own files, by " + vm.confinement + more;
}

void show_text(cli::App& app, const Vm& vm, const DiskUse& used,
               const std::function<const std::string&()>& names_fault) {
  auto line = [&](const char* key, const std::string& value) { app.out.fact(key, 11, value); };
  auto time = [](WallTime t) { return t.ns ? to_rfc3339(t) : std::string(); };
  line("name", vm.name);
  line("id", vm.id);
  line("state", fmt::format("{}{}{}", name_of(vm.state), vm.reason.empty() ? "" : ": ", vm.reason));
  line("image", fmt::format("{} ({})", vm.image_name, vm.image_id));
  line("cpus", fmt::format("{}", vm.cpus));
  line("memory", format_size(vm.memory));
  line("root disk", fmt::format("{}, {} on the host, by {}", format_size(vm.root_size),
                                format_size(used.root.value_or(0)), name_of(vm.root_way)));
  if (vm.work_size)
    line("work disk", fmt::format("{} at {}, {} on the host", format_size(vm.work_size),
                                  vm.work_mount, format_size(used.work.value_or(0))));
  std::string_view open;
  if (!ops::nature_of(vm.net_mode).shared && !is_live(vm.state))
    open = ", alone in it ('banger vm set --net user' changes that)";
  if (is_live(vm.state) && vm.run && vm.run->outbound_open)
    open = ", outbound open (the host's loopback too)";
  if (is_live(vm.state) && vm.host_open) open = ", the host's own addresses open";
  line("network", fmt::format("{}, {}/{} by {}, {}{}", name_of(vm.net_mode), vm.address, vm.prefix,
                              vm.gateway, vm.mac, open));
  line("limits", to_text(vm.limits));
  line("ssh", fmt::format("root@{} port {}, {}", vm.reach, vm.ssh_port,
                          full_name(vm.name, app.settings.dns_zone)));
  if (is_live(vm.state)) line("dns", name_of_vm(vm, app.settings.dns_zone, names_fault()));
  for (const PortRun& run : runs_of(vm.ports))
    line("port", fmt::format("{}:{} to {}/{}", run.first.host_address, run.host(), run.guest(),
                             run.first.proto));
  std::string driver(name_of(vm.vmm));
  if (!vm.vmm_version.empty()) driver += " " + vm.vmm_version;
  if (vm.accel) driver += fmt::format(", {}", name_of(*vm.accel));
  if (vm.vmm_process()) driver += fmt::format(", pid {}", vm.vmm_process().pid);
  line("vmm", driver);
  if (vm.accel) line("confined", confined(vm));
  for (const auto& [key, value] : vm.labels) line("label", key + "=" + value);
  line("created", time(vm.created));
  line("started", time(vm.started));
  line("stopped", time(vm.stopped));
  line("last boot", timings(vm.timings));
  line("console", app.dirs.console_log(vm.id));
  line("vmm log", app.dirs.vm_file(vm.id, "vmm.log"));
  line("lifecycle", app.dirs.vm_file(vm.id, "lifecycle.jsonl"));
  if (vm.fault) line("error", vm.fault->message);
}

std::string find_names_fault(const cli::App& app) {
  constexpr Millis patience{300}; // the rest of what is shown is there at once
  try {
    return ops::why_names_fail(ops::dns_status(app.settings, app.dirs, patience), app.settings);
  } catch (const Error& e) {
    return e.message();
  }
}

struct Show : cli::Verb {
  Selection which;

  void declare(cli::Spec& spec) override { which.declare(spec, "VM to show"); }

  int run(cli::App& app) override {
    ops::VmQuery query = which.query();
    ops::Reading in(app.settings, app.dirs);
    std::set<int> failures;
    std::vector<std::string> unknown;
    bool first = true;
    std::optional<std::string> fault; // looked for once, where one runs
    auto names_fault = [&]() -> const std::string& {
      if (!fault) fault = find_names_fault(app);
      return *fault;
    };
    for (const Vm& vm : ops::find_vms(in, query, unknown)) {
      auto used = ops::disk_use(app.dirs, vm);
      if (app.out.json) {
        app.out.object_text("vm", to_text(vm, app.dirs, app.settings.dns_zone, used));
      } else if (app.out.quiet) {
        app.out.line(vm.name);
      } else {
        if (!std::exchange(first, false)) app.out.line("");
        show_text(app, vm, used, names_fault);
      }
    }
    for (const std::string& ref : unknown) failures.insert(report_unknown(app, in, ref));
    return cli::common_status(failures);
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_show() { return std::make_unique<Show>(); }

} // namespace banger::tool

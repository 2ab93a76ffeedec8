#include "banger-vm/spec_options.h"

#include "core/error.h"
#include "core/text.h"
#include "core/units.h"
#include "model/port.h"

namespace banger::vm {

void SpecOptions::declare(cli::Spec& spec) {
  using cli::Complete;
  spec.options.insert(
      spec.options.end(),
      {{"--image",
        "IMAGE",
        "image to make the root disk from",
        "the bundle's",
        Complete::images,
        {},
        &image},
       {"--cpus", "N", "virtual cpus", "1", Complete::nothing, {}, &cpus},
       {"--memory", "SIZE", "memory", "512M", Complete::nothing, {}, &memory},
       {"--disk", "SIZE", "size of the root disk", "the image's", Complete::nothing, {}, &disk},
       {"--root",
        "WAY",
        "how the root disk is made from the image",
        "auto",
        Complete::words,
        {"reflink", "dm-snapshot", "overlay", "copy"},
        &root},
       {"--work-disk",
        "SIZE",
        "add a disk that survives reset and a change of image",
        "none",
        Complete::nothing,
        {},
        &work_disk},
       {"--work-mount",
        "PATH",
        "where the guest has it",
        "/root",
        Complete::nothing,
        {},
        &work_mount},
       {"--net", "MODE", "network", "auto", Complete::words, {"user", "bridge", "isolated"}, &net},
       {"--ip",
        "ADDRESS",
        "the guest's own address on a shared network",
        "the lowest free",
        Complete::nothing,
        {},
        &ip},
       {"-p,--publish",
        "[ADDR:]HOST:GUEST[/udp]",
        "make a port of the guest reachable on the host",
        "",
        Complete::nothing,
        {},
        &publish},
       {"--label", "KEY=VALUE", "attach a label", "", Complete::nothing, {}, &labels},
       {"--vmm",
        "VMM",
        "virtual machine monitor",
        "auto",
        Complete::words,
        {"qemu", "firecracker"},
        &vmm},
       {"--accel",
        "ACCEL",
        "hardware or software virtualisation",
        "auto",
        Complete::words,
        {"kvm", "tcg"},
        &accel},
       {"--dry-run",
        "",
        "check everything, say what would be made, make nothing",
        "",
        Complete::nothing,
        {},
        &dry_run}});
}

VmSpec SpecOptions::to_spec(const std::string& name, const Settings& settings) const {
  VmSpec s;
  s.name = valid_name("VM name", name);
  s.image = image.value_or("");
  s.cpus = cpus ? parse_cpus(*cpus) : settings.vm_cpus;
  s.memory = memory ? parse_size("memory", *memory, most_memory) : settings.vm_memory;
  if (disk) s.disk = parse_size("disk size", *disk, most_disk);
  if (root) s.root = parse_root_way(*root);
  if (work_disk) s.work_disk = parse_size("work disk size", *work_disk, most_disk);
  if (work_mount && !work_disk)
    throw usage("--work-mount goes with --work-disk").hint("add --work-disk SIZE");
  if (work_mount) s.work_mount = *work_mount;
  s.net = net ? std::optional(parse_net_mode(*net)) : settings.net_mode;
  s.ip = ip;
  s.vmm = vmm ? std::optional(parse_vmm_kind(*vmm)) : settings.vm_vmm;
  s.accel = accel ? std::optional(parse_accel(*accel)) : settings.vm_accel;
  for (const std::string& l : labels) s.labels.insert(parse_label(l));
  for (const std::string& p : publish) s.publish.push_back(parse_port(p));
  return s;
}

void say_plan(ops::Context& ctx, const ops::CreatePlan& plan) {
  ctx.notice(fmt::format("'{}' would be made from '{}' by {}, {} large, with {} of memory",
                         plan.spec.name, plan.image.name, name_of(plan.root.way),
                         format_size(plan.root.size), format_size(plan.spec.memory)));
}

int parse_cpus(const std::string& text) {
  return static_cast<int>(parse_number("number of cpus", text, 1, 64));
}

} // namespace banger::vm

#include "banger-vm/spec_options.h"

#include "cli/kinds.h"
#include "core/error.h"
#include "core/units.h"
#include "model/port.h"

namespace banger::tool {

void SpecOptions::declare(cli::Spec& spec) {
  using cli::Complete;
  namespace kinds = cli::kinds;
  spec.options.insert(spec.options.end(),
                      {{.flags = "--image",
                        .value = "IMAGE",
                        .help = "image to make the root disk from",
                        .fallback = "the bundle's",
                        .complete = Complete::images,
                        .target = &image},
                       {.flags = "--cpus",
                        .value = "N",
                        .help = "virtual cpus",
                        .fallback = "1",
                        .target = {kinds::cpus, &cpus}},
                       {.flags = "--memory",
                        .value = "SIZE",
                        .help = "memory",
                        .fallback = "512M",
                        .target = {kinds::memory, &memory}},
                       {.flags = "--disk",
                        .value = "SIZE",
                        .help = "size of the root disk",
                        .fallback = "the image's",
                        .target = {kinds::disk, &disk}},
                       {.flags = "--root",
                        .value = "WAY",
                        .help = "how the root disk is made from the image",
                        .fallback = "auto",
                        .target = {kinds::root_way(), &root}},
                       {.flags = "--work-disk",
                        .value = "SIZE",
                        .help = "add a disk that survives reset and a change of image",
                        .fallback = "none",
                        .target = {kinds::disk, &work_disk}},
                       {.flags = "--work-mount",
                        .value = "PATH",
                        .help = "where the guest has it",
                        .fallback = "/root",
                        .target = &work_mount},
                       {.flags = "--net",
                        .value = "MODE",
                        .help = "network",
                        .fallback = "auto",
                        .target = {kinds::net_mode(), &net}},
                       {.flags = "--ip",
                        .value = "ADDRESS",
                        .help = "the guest's own address on a shared network",
                        .fallback = "the lowest free",
                        .target = &ip},
                       {.flags = "-p,--publish",
                        .value = "[ADDR:]HOST:GUEST[/udp]",
                        .help = "make a port of the guest, or a range, reachable on the host",
                        .target = {cli::As<parse_ports>{}, &publish}},
                       limit_option(limits),
                       {.flags = "--label",
                        .value = "KEY=VALUE",
                        .help = "attach a label",
                        .target = {cli::As<parse_label>{}, &labels}},
                       {.flags = "--vmm",
                        .value = "VMM",
                        .help = "virtual machine monitor",
                        .fallback = "auto",
                        .target = {kinds::vmm(), &vmm}},
                       {.flags = "--accel",
                        .value = "ACCEL",
                        .help = "hardware or software virtualisation",
                        .fallback = "auto",
                        .target = {kinds::accel(), &accel}},
                       {.flags = "--dry-run",
                        .help = "check everything, say what would be made, make nothing",
                        .target = &dry_run}});
}

cli::Option limit_option(std::vector<LimitChange>& limits) {
  return {.flags = "--limit",
          .value = "PLACE.KIND=RATE",
          .help = "limit root, work or net: its bandwidth (20M a second) or its ops",
          .target = {cli::As<parse_limit>{}, &limits}};
}

VmSpec SpecOptions::to_spec(const std::string& name, const Settings& settings) const {
  VmSpec s;
  s.name = valid_name("VM name", name);
  s.image = image;
  s.cpus = cpus.value_or(settings.vm_cpus);
  s.memory = memory.value_or(settings.vm_memory);
  s.disk = disk;
  s.root = root;
  s.work_disk = work_disk;
  if (work_mount && !work_disk)
    throw usage("--work-mount goes with --work-disk").hint("add --work-disk SIZE");
  if (work_mount) s.work_mount = *work_mount;
  s.net = net ? net : settings.net_mode;
  s.ip = ip;
  s.vmm = vmm ? vmm : settings.vm_vmm;
  s.accel = accel ? accel : settings.vm_accel;
  s.limits = changed_by({}, limits);
  s.labels.insert(labels.begin(), labels.end());
  s.publish = merged(publish);
  return s;
}

void SpecOptions::require_for_several() const {
  if (ip)
    throw usage("--ip {} goes with one VM: an address is one VM's", *ip)
        .hint("leave --ip out, and each gets the lowest free address");
  for (const auto& ports : publish)
    for (const Port& p : ports)
      if (!p.host_address.empty()) {
        Port own = p;
        own.host_address.clear();
        throw usage("--publish {}:{} goes with one VM: {}:{} is one port of the host", p.host,
                    p.guest, p.host_address, p.host)
            .hint(fmt::format("--publish {} has it at each VM's own address alone", to_text(own)));
      }
}

cli::Done created(bool dry_run) {
  cli::Done done{dry_run ? "absent" : name_of(VmState::stopped), !dry_run};
  done.said = dry_run ? "would be created" : "created";
  return done;
}

void say_plan(ops::Context& ctx, const ops::CreatePlan& plan) {
  ctx.notice(fmt::format("'{}' would be made from '{}' by {}, {} large, with {} of memory",
                         plan.spec.name, plan.image.name, name_of(plan.root.way),
                         format_size(plan.root.size), format_size(plan.spec.memory)));
}

} // namespace banger::tool

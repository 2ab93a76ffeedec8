#include "ops/vm_create.h"

#include "core/error.h"
#include "core/undo.h"
#include "disk/ext4.h"
#include "ops/image_from_bundle.h"
#include "sys/copy.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/proc.h"
#include "vmm/machine.h"

namespace banger::ops {

namespace {

constexpr int64_t least_memory = int64_t{64} << 20;
constexpr int64_t space_to_leave = int64_t{64} << 20;
constexpr int most_cpus = 64;

void check_spec(Context& ctx, const VmSpec& spec) {
  valid_name("VM name", spec.name);
  if (is_reserved_vm_name(spec.name))
    throw usage("invalid VM name '{}': it is a verb of banger ssh", spec.name).subject(spec.name);
  if (spec.cpus < 1 || spec.cpus > most_cpus)
    throw usage("invalid number of cpus '{}': it must be from 1 to {}", spec.cpus, most_cpus);
  if (spec.memory < least_memory)
    throw usage("invalid memory '{}': a guest needs at least {}", format_size(spec.memory),
                format_size(least_memory));
  if (spec.memory % (1 << 20))
    throw usage("invalid memory '{}': it must be whole MiB", spec.memory);
  if (spec.net && *spec.net != NetMode::isolated)
    throw preflight("cannot use network mode '{}': this build does not have it", name_of(*spec.net))
        .hint("leave --net out, or use --net isolated");
  if (spec.vmm && *spec.vmm != VmmKind::qemu)
    throw preflight("cannot use the VMM '{}': this build does not drive it", name_of(*spec.vmm))
        .hint("leave --vmm out, or use --vmm qemu");
  if (ctx.state.find_vm(spec.name) && ctx.state.find_vm(spec.name)->name == spec.name)
    throw conflict("cannot create '{}': a VM of that name exists", spec.name)
        .subject(spec.name)
        .hint(fmt::format("banger vm start {} starts it; banger vm rm {} removes it", spec.name,
                          spec.name));
}

} // namespace

CreatePlan plan_create(Context& ctx, const VmSpec& spec) {
  check_spec(ctx, spec);
  CreatePlan plan;
  plan.spec = spec;
  plan.image = image_for(ctx, spec.image);
  std::string from = ctx.dirs.image(plan.image.id) + "/root.ext4";
  disk::RootFacts facts;
  facts.image_size = disk::ext4_size(from);
  facts.image_allocated = sys::find_info(from)->allocated;
  facts.can_clone = spec.root != RootWay::copy && sys::can_clone(from, ctx.dirs.state);
  plan.root =
      disk::plan_root(spec.root ? spec.root : ctx.settings.vm_root, spec.disk, facts, from, "");
  if (int64_t free = sys::free_space(ctx.dirs.state); free < plan.root.needs + space_to_leave)
    throw preflight("cannot create '{}': its disk takes {}, and {} are free in '{}'", spec.name,
                    format_size(plan.root.needs), format_size(free), ctx.dirs.state)
        .hint("make room there, or set BANGER_STATE_DIR to a place with more");
  return plan;
}

Vm create_vm(Context& ctx, const VmSpec& spec) {
  CreatePlan plan = plan_create(ctx, spec);
  Stage timed(ctx.log, "vm.create", spec.name);
  Vm vm;
  vm.id = new_id();
  vm.name = spec.name;
  vm.image_id = plan.image.id;
  vm.image_name = plan.image.name;
  vm.state = VmState::creating;
  vm.creator = sys::this_process();
  vm.cpus = spec.cpus;
  vm.memory = spec.memory;
  vm.root_way = plan.root.way;
  vm.root_size = plan.root.size;
  vm.net_mode = NetMode::isolated;
  // Alone behind QEMU's own network, so every guest may have the same address.
  vm.address = "10.0.2.15";
  vm.gateway = "10.0.2.2";
  vm.mac = vmm::mac_of(vm.id);
  vm.want_vmm = spec.vmm ? spec.vmm : ctx.settings.vm_vmm;
  vm.want_accel = spec.accel ? spec.accel : ctx.settings.vm_accel;
  vm.remove_when_stopped = spec.remove_when_stopped;
  vm.ports = spec.publish;
  vm.labels = spec.labels;
  vm.created = wall_now();

  Undo undo([&](const std::string& step, const std::exception& e) {
    ctx.log.warn("undo.failed",
                 {{"step", std::string_view(step)}, {"error", std::string_view(e.what())}});
  });
  vm = ctx.state.add_vm(vm);
  undo.push("remove the row", [&] { ctx.state.remove_vm(vm.id); });
  std::string dir = ctx.dirs.vm(vm.id);
  sys::make_dirs(dir);
  undo.push("remove the directory", [&] { sys::remove_tree(dir); });
  auto lock = sys::FileLock::take(dir + "/op.lock");
  plan.root.to = dir + "/root.img";
  ctx.stage(vm.name, "making its disk");
  try {
    disk::make_root(plan.root);
  } catch (Error& e) {
    throw std::move(e.within(fmt::format("cannot create '{}'", vm.name)));
  }
  ctx.state.transaction([&] {
    vm = ctx.state.change_vm(vm.id, [](Vm& v) {
      v.state = VmState::stopped;
      v.creator = {};
      for (Port& p : v.ports)
        if (p.host_address.empty()) p.host_address = v.reach;
    });
    record(ctx, vm.name, "vm.created", {{"id", vm.id}, {"image", vm.image_name}});
  });
  undo.dismiss();
  return vm;
}

} // namespace banger::ops

#include "ops/vm/create.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/undo.h"
#include "disk/ext4.h"
#include "model/limits.h"
#include "ops/common/places.h"
#include "ops/host/checks.h"
#include "ops/host/vmm_choice.h"
#include "ops/image/from_bundle.h"
#include "ops/image/stale.h"
#include "ops/net/host_ports.h"
#include "ops/vm/lease.h"
#include "ops/vm/preflight.h"
#include "sys/copy.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/proc.h"
#include "vmm/machine.h"

namespace banger::ops {

namespace {

void check_spec(Context& ctx, const VmSpec& spec) {
  valid_name("VM name", spec.name);
  if (auto meaning = other_meaning(spec.name); !meaning.empty())
    throw usage("invalid VM name '{}': {}", spec.name, meaning)
        .subject(spec.name)
        .hint(fmt::format("take another, such as vm-{}", spec.name));
  check_machine(spec.cpus, spec.memory);
  if (ctx.state.has_vm_named(spec.name))
    throw conflict("cannot create '{}': a VM of that name exists", spec.name)
        .subject(spec.name)
        .hint(fmt::format("banger vm start {0} starts it; banger vm rm {0} removes it with its "
                          "disks, which cannot be brought back",
                          spec.name));
}

} // namespace

void check_machine(int cpus, int64_t memory) {
  if (cpus < 1 || cpus > most_cpus)
    throw usage("invalid number of cpus '{}': it must be from 1 to {}", cpus, most_cpus);
  if (memory < least_memory)
    throw usage("invalid memory '{}': a guest needs at least {}", format_size(memory),
                format_size(least_memory));
  if (memory % mebibyte) throw usage("invalid memory '{}': it must be whole MiB", memory);
}

void require_place_for(const RateLimits& limits, bool has_work_disk, const std::string& name) {
  if (limits.work && !has_work_disk)
    throw usage("cannot limit the work disk of '{}': it has none", name)
        .subject(name)
        .hint("a VM gets its work disk when it is made: banger vm create --work-disk SIZE");
}

namespace {

disk::RootPlan plan_root(Context& ctx, const VmSpec& spec, const std::string& from) {
  disk::RootFacts facts;
  facts.image_size = disk::ext4_size(from);
  facts.image_allocated = sys::find_info(from)->allocated;
  auto want = spec.root ? spec.root : ctx.settings.vm_root;
  facts.can_clone = (!want || want == RootWay::reflink) && sys::can_clone(from, ctx.dirs.state);
  auto plan = disk::plan_root(want, spec.disk, facts, from, "");
  plan.blanks = ctx.dirs.state + "/blank";
  return plan;
}

// Plans the disks anew from the file of an image that was imported since.
void use_image(Context& ctx, CreatePlan& plan, const std::string& from) {
  plan.root = plan_root(ctx, plan.spec, from);
  if (plan.work) plan.work->image = from;
}

} // namespace

CreatePlan plan_create(Context& ctx, const VmSpec& spec, bool and_start) {
  check_spec(ctx, spec);
  CreatePlan plan;
  plan.spec = spec;
  ImageSource source;
  Check image = {"image", Verdict::ok, {}, {}};
  try {
    source = find_image_source(ctx, spec.image);
  } catch (const Error& e) {
    if (e.code() != Code::preflight) throw; // no such image: a name to be mended, not this host
    image = {"image", Verdict::missing, e.message(), e.hint()};
  }
  require_new(ctx, spec, and_start, image);
  plan.image = source.image;
  plan.net = choose_network(ctx, spec);
  require_fit(fmt::format("cannot create '{}'", spec.name), spec.name, wish_of(spec, plan.net));
  require_address(ctx, spec, plan.net);
  if (and_start) require_free_ports(spec, spec.publish, Asked::of_new_vm);
  if (auto text = stale_notice(ctx.dirs, plan.image); !text.empty()) ctx.notice(text);
  require_place_for(spec.limits, spec.work_disk.has_value(), spec.name);
  if (spec.work_disk) {
    plan.work = disk::WorkPlan{
        {}, disk::valid_work_mount(spec.work_mount), "", disk::whole_blocks(*spec.work_disk)};
    if (plan.work->size < disk::least_ext4)
      throw usage("invalid work disk size '{}': it must be at least {}",
                  format_size(plan.work->size), format_size(disk::least_ext4));
  }
  use_image(ctx, plan, source.root);
  int64_t import = plan.image.id.empty() ? sys::find_info(source.root)->allocated : 0;
  try {
    require_space(ctx.dirs.state, plan.root.needs + import);
  } catch (Error& e) {
    throw std::move(e.within(fmt::format("cannot create '{}'", spec.name)));
  }
  return plan;
}

namespace {

// Everything but the last commit: the row is `creating` and op.lock is held.
struct Made {
  Vm vm;
  sys::FileLock lock;
};

Made make_vm(Context& ctx, CreatePlan plan, Undo& undo) {
  const VmSpec& spec = plan.spec;
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
  if (plan.work) {
    vm.work_size = plan.work->size;
    vm.work_mount = plan.work->mount;
  }
  vm.net_mode = plan.net;
  vm.mac = vmm::mac_of(vm.id);
  vm.want_vmm = spec.vmm ? spec.vmm : ctx.settings.vm_vmm;
  vm.want_accel = spec.accel ? spec.accel : ctx.settings.vm_accel;
  vm.remove_when_stopped = spec.remove_when_stopped;
  vm.ports = spec.publish;
  vm.limits = spec.limits;
  vm.labels = spec.labels;
  vm.created = wall_now();

  vm = add_vm_with_address(ctx, spec, vm);
  undo.push("remove the row", [&ctx, id = vm.id] { ctx.state.remove_vm(id); });
  Places places = places_of(ctx.dirs, ctx.state.tag(), vm);
  sys::make_dirs(places.dir);
  undo.push("remove the directory", [dir = places.dir] { sys::remove_tree(dir); });
  auto lock = sys::FileLock::take(places.op_lock);
  plan.root.to = own_root(places);
  ctx.stage(vm.name, "making its disk");
  try {
    disk::make_root(plan.root);
    if (plan.work) {
      plan.work->to = places.work;
      disk::make_work(*plan.work);
    }
  } catch (Error& e) {
    throw std::move(e.within(fmt::format("cannot create '{}'", vm.name)));
  }
  return {std::move(vm), std::move(lock)};
}

} // namespace

namespace {

std::vector<Vm> make_all(Context& ctx, std::vector<CreatePlan> plans) {
  for (CreatePlan& plan : plans) {
    if (!plan.image.id.empty()) continue;
    plan.image = image_for(ctx, plan.spec.image);
    use_image(ctx, plan, ctx.dirs.image_root(plan.image.id));
  }
  Undo undo(ctx.log);
  std::vector<Made> made;
  for (CreatePlan& plan : plans) {
    LogSpan timed(ctx.log, "vm.create", plan.spec.name);
    made.push_back(make_vm(ctx, std::move(plan), undo));
  }
  std::vector<Vm> done;
  ctx.state.transaction([&] {
    done.clear();
    for (const Made& m : made) {
      done.push_back(ctx.state.change_vm(m.vm.id, [](Vm& v) {
        v.state = VmState::stopped;
        if (!v.remove_when_stopped) v.creator = {}; // with --rm it is the VM's runner
      }));
      record(ctx, m.vm.name, "vm.created", {{"id", m.vm.id}, {"image", m.vm.image_name}});
    }
  });
  undo.dismiss();
  return done;
}

} // namespace

std::vector<Vm> create_vms(Context& ctx, const std::vector<VmSpec>& specs) {
  std::vector<CreatePlan> plans;
  for (const VmSpec& spec : specs) plans.push_back(plan_create(ctx, spec));
  return make_all(ctx, std::move(plans));
}

Vm create_vm(Context& ctx, CreatePlan plan) { return make_all(ctx, {std::move(plan)}).front(); }

Vm create_vm(Context& ctx, const VmSpec& spec) { return create_vm(ctx, plan_create(ctx, spec)); }

} // namespace banger::ops

#include "ops/vm/preflight.h"

#include <algorithm>

#include "core/error.h"
#include "core/units.h"
#include "ops/common/places.h"
#include "ops/host/accel.h"
#include "ops/host/checks.h"
#include "ops/host/firecracker.h"
#include "ops/image/from_bundle.h"
#include "ops/net/bridge.h"
#include "ops/net/host_ports.h"
#include "ops/net/nature.h"
#include "ops/release/mapping.h"
#include "ops/vm/disks.h"
#include "sys/file.h"
#include "sys/memory.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

// The memory that is promised to a VM and to all others that run.
int64_t promised_with(state::State& state, int64_t memory, const std::string& id) {
  int64_t promised = memory;
  for (const Vm& vm : state.busy_vms())
    if (is_live(vm.state) && vm.id != id) promised += vm.memory;
  return promised;
}

// A guest takes its memory as it uses it, so to promise more than is free is only a warning. Where
// the kernel never gives a process that much, the VMM could not begin, and the memory is missing.
// Users who want a bound set vm.memory_limit. `id` is the VM in question.
Check check_memory(state::State& state, int64_t memory, const std::string& id) {
  if (auto most = sys::largest_allocation(); most && memory > *most)
    return {"memory", Verdict::missing,
            fmt::format("{} of memory wanted, and this host gives a VM at most {}",
                        format_size(memory), format_size(*most)),
            "give it less: --memory"};
  int64_t promised = promised_with(state, memory, id);
  int64_t total = sys::total_memory(), available = sys::available_memory();
  std::string found = fmt::format(
      "{} wanted, {} with the VMs that run; the host has {}, {} are available", format_size(memory),
      format_size(promised), format_size(total), format_size(available));
  if (promised > total || available < memory)
    return {"memory", Verdict::warn, found,
            "stop other VMs (banger vm stats shows what they use), or give it less: --memory"};
  return {"memory", Verdict::ok, found, {}};
}

Check check_limit(const Settings& settings, state::State& state, int64_t memory,
                  const std::string& id) {
  int64_t promised = promised_with(state, memory, id), limit = settings.vm_memory_limit.value();
  std::string found = fmt::format("{} of memory wanted, {} with the VMs that run; vm.memory_limit "
                                  "is {}",
                                  format_size(memory), format_size(promised), format_size(limit));
  if (promised <= limit) return {"memory_limit", Verdict::ok, found, {}};
  return {"memory_limit", Verdict::missing, found, "stop other VMs, or raise vm.memory_limit"};
}

Check check_disks(const Places& places, const Vm& vm) {
  for (const std::string& disk : disk_files(places))
    if (!sys::exists(disk))
      return {"disks", Verdict::missing, fmt::format("its disk '{}' is not there", disk),
              fmt::format("banger vm rm {} removes it with the disks that it has, which cannot be "
                          "brought back",
                          vm.name)};
  return {"disks", Verdict::ok, places.dir, {}};
}

Check check_image(Reader& in, const std::string& asked) {
  Image image = find_image_source(in, asked).image;
  if (image.id.empty())
    return {
        "image", Verdict::ok, image.name + " of the bundle, imported when it is first used", {}};
  return {"image", Verdict::ok, fmt::format("{}, {}", image.name, format_size(image.size)), {}};
}

// Of what a VM cannot be without.
Check required(Check check) {
  if (check.verdict == Verdict::warn) check.verdict = Verdict::missing;
  return check;
}

// The private network where a VM is to be in it or in none: it was asked for by its name, or the VM
// has an address there.
Check require_network(const Host& host) {
  return required(make_check("network", [&] { return check_network(host); }));
}

// The host's network: whether it is wanted at all says more than whether this user could make it.
Check require_bridge(const Host& host) {
  if (bridge_is_wanted(*host.state)) return required(check_bridge(host));
  return {"bridge", Verdict::missing, "the network 'bridge' is down", "banger net up"};
}

// KVM and the VMMs that may run it.
void add_vmms(std::vector<Check>& all, const Host& host, const VmmWish& wish) {
  Check kvm = make_check("kvm", [&] { return check_kvm(host); });
  if (wish.vmm == VmmKind::firecracker) {
    // Only the start finds out whether a kernel boots on it.
    if (!kvm_closed_because().empty()) kvm.verdict = Verdict::missing;
    all.push_back(std::move(kvm));
    return all.push_back(make_check("firecracker", [&] {
      Check check = check_firecracker(host);
      if (!find_firecracker(host.settings, host.state)) check.verdict = Verdict::missing;
      return check;
    }));
  }
  all.push_back(std::move(kvm));
  Check qemu = make_check("qemu", [&] { return check_qemu(host); });
  bool may_do_without = !wish.vmm && wish.accel != Accel::tcg && !wish.own_net;
  if (qemu.verdict == Verdict::missing && may_do_without && kvm_closed_because().empty() &&
      find_firecracker(host.settings, host.state))
    qemu.verdict = Verdict::warn;
  all.push_back(std::move(qemu));
}

std::vector<Check> check_common(const Host& host, state::State& state, int64_t memory,
                                const std::string& id, const VmmWish& wish) {
  std::vector<Check> all;
  auto add = [&](const char* name, Check (*check)(const Host&)) {
    all.push_back(make_check(name, [&] { return check(host); }));
  };
  add_vmms(all, host, wish);
  add("programs", check_programs);
  add("bundle", check_boot_files);
  add("key", check_key);
  add("space", check_space);
  add("runtime", check_runtime);
  add("files", check_files);
  add("inotify", check_inotify);
  all.push_back(make_check("memory", [&] { return check_memory(state, memory, id); }));
  if (host.settings.vm_memory_limit)
    all.push_back(
        make_check("memory_limit", [&] { return check_limit(host.settings, state, memory, id); }));
  return all;
}

// The network that the VM is likely to get. The choice is made when the VM is.
NetMode expected_mode(const Host& host, const VmSpec& spec) {
  return spec.net.value_or(
      host.settings.net_mode.value_or(automatic_mode(bridge_is_default(*host.state), true)));
}

Check check_mapper(const Host& host) {
  try {
    require_mapper(host.dirs);
  } catch (const Error& e) {
    return {"device-mapper", Verdict::missing, e.message(), e.hint()};
  }
  return {"device-mapper", Verdict::ok, "root disks can be mapped", {}};
}

void add_mapper(std::vector<Check>& all, const Host& host, std::optional<RootWay> way) {
  if (way == RootWay::dm_snapshot)
    all.push_back(make_check("device-mapper", [&] { return check_mapper(host); }));
}

// The checks for making a VM, beside its image and room for it.
void add_making(std::vector<Check>& all, const Host& host, const VmSpec& spec) {
  all.push_back(make_check("e2fsprogs", [&] { return check_e2fsprogs(host); }));
  add_mapper(all, host, spec.root ? spec.root : host.settings.vm_root);
  auto mode = spec.net ? spec.net : host.settings.net_mode;
  if (!mode && bridge_is_default(*host.state)) mode = automatic_mode(true, true);
  if (!mode) // else the VM will be alone in its network
    all.push_back(make_check("network", [&] { return check_network(host); }));
  else if (nature_of(*mode).is_private)
    all.push_back(require_network(host));
  else if (nature_of(*mode).is_host)
    all.push_back(make_check("bridge", [&] { return require_bridge(host); }));
}

} // namespace

VmmWish wish_of(const Vm& vm) {
  return {vm.want_vmm, vm.want_accel,
          vm.net_mode, nature_of(vm.net_mode).vmm_forwards,
          vm.cpus,     static_cast<bool>(vm.limits.net)};
}

VmmWish wish_of(const VmSpec& spec, NetMode net) {
  return {spec.vmm,  spec.accel,
          net,       nature_of(net).vmm_forwards,
          spec.cpus, static_cast<bool>(spec.limits.net)};
}

void require_within_limit(const Settings& settings, state::State& state, const Vm& vm) {
  if (!settings.vm_memory_limit) return;
  Check check = check_limit(settings, state, vm.memory, vm.id);
  require(fmt::format("cannot start '{}'", vm.name), vm.name, {&check, 1});
}

std::vector<Check> check_start(Reader& in, const Vm& vm) {
  Host host{in.settings, in.dirs, false, &in.state};
  auto all = check_common(host, in.state, vm.memory, vm.id, wish_of(vm));
  if (nature_of(vm.net_mode).is_private) all.push_back(require_network(host));
  if (nature_of(vm.net_mode).is_host)
    all.push_back(make_check("bridge", [&] { return require_bridge(host); }));
  add_mapper(all, host, vm.root_way);
  Places places = places_of(in.dirs, in.state.tag(), vm);
  all.push_back(make_check("disks", [&] { return check_disks(places, vm); }));
  return all;
}

Check check_published(const Vm& vm) {
  try {
    require_free_ports(vm, vm.ports, Asked::recorded);
  } catch (const Error& e) {
    return {"ports", Verdict::missing, e.message(), e.hint()};
  }
  return {"ports", Verdict::ok, vm.ports.empty() ? "none published" : "free", {}};
}

std::vector<Check> check_new(Reader& in, const VmSpec& spec) {
  Host host{in.settings, in.dirs, false, &in.state};
  auto all =
      check_common(host, in.state, spec.memory, {}, wish_of(spec, expected_mode(host, spec)));
  all.push_back(make_check("image", [&] { return check_image(in, spec.image); }));
  add_making(all, host, spec);
  return all;
}

void require_new(Reader& in, const VmSpec& spec, bool and_start, const Check& image) {
  Host host{in.settings, in.dirs, false, &in.state};
  std::vector<Check> all;
  if (and_start)
    all = check_common(host, in.state, spec.memory, {}, wish_of(spec, expected_mode(host, spec)));
  else
    all.push_back(make_check("space", [&] { return check_space(host); }));
  // Without a bundle there is no image either, and only a bundle mends that.
  auto is_missing = [](const Check& c) {
    return c.id == "bundle" && c.verdict == Verdict::missing;
  };
  if (std::none_of(all.begin(), all.end(), is_missing)) all.push_back(image);
  add_making(all, host, spec);
  require(fmt::format("cannot {} '{}'", and_start ? "run" : "create", spec.name), spec.name, all);
}

void require_restart(Reader& in, const Vm& vm) {
  auto all = check_start(in, vm);
  // The memory that it uses now is given back first.
  std::erase_if(all, [](const Check& c) { return c.id == "memory"; });
  require(fmt::format("cannot restart '{}'", vm.name), vm.name, all);
}

} // namespace banger::ops

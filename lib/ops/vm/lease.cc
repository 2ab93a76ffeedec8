#include "ops/vm/lease.h"

#include <set>

#include "core/error.h"
#include "core/text.h"
#include "model/subnet.h"
#include "ops/host/net_support.h"
#include "ops/net/host_ports.h"
#include "vmm/machine.h"

namespace banger::ops {

namespace {

// Alone behind QEMU's own network, every guest may have the same addresses.
constexpr const char* isolated_subnet = "10.0.2.0/24";
constexpr const char* isolated_address = "10.0.2.15";

// `doing`: what the VM cannot be, where there is no address for it.
void lease(Context& ctx, std::string_view doing, const std::optional<std::string>& ip, Vm& vm) {
  Subnet subnet = ctx.settings.net_subnet;
  std::set<Address> taken;
  std::vector<std::string> elsewhere;
  std::optional<Address> wish;
  if (ip) wish = parse_address("address", *ip);
  for (const state::State::Lease& other : ctx.state.leases(vm.net_mode)) {
    Address address = parse_address("address", other.address);
    if (Subnet::around(other.address, other.prefix) != subnet) elsewhere.push_back(other.vm);
    if (wish == address)
      throw conflict("cannot {} '{}': {} is the address of '{}'", doing, vm.name, *ip, other.vm)
          .subject(vm.name);
    taken.insert(address);
  }
  if (!elsewhere.empty())
    throw conflict("cannot {} '{}' in {}: {} has an address of another subnet", doing, vm.name,
                   subnet.text(), join(elsewhere, ", "))
        .subject(vm.name)
        .hint("one subnet serves all VMs of a state: set net.subnet back, or remove them first");
  if (wish && !subnet.is_for_guests(*wish))
    throw usage("invalid address '{}': it is not one for VMs of {}", *ip, subnet.text())
        .hint(fmt::format("{} to .3 and .15 are taken; net.subnet sets the subnet",
                          to_text(subnet.bridge())));
  auto address = wish ? wish : subnet.lowest_free(taken);
  if (!address)
    throw conflict("cannot {} '{}': no address of {} is left", doing, vm.name, subnet.text())
        .subject(vm.name)
        .hint("remove VMs that you do not need");
  vm.address = to_text(*address);
  vm.mac = mac_of(*address);
  vm.prefix = subnet.prefix();
  vm.gateway = to_text(subnet.way_out());
}

void give_address(Context& ctx, std::string_view doing, const std::optional<std::string>& ip,
                  Vm& vm) {
  if (vm.net_mode != NetMode::isolated) return lease(ctx, doing, ip, vm);
  Subnet subnet = Subnet::parse(isolated_subnet);
  vm.address = isolated_address;
  vm.prefix = subnet.prefix();
  vm.gateway = to_text(subnet.way_out());
  vm.mac = vmm::mac_of(vm.id);
}

void tell_once(Context& ctx, const std::string& text) {
  constexpr const char* key = "net.told";
  if (ctx.state.fact(key) == text) return;
  ctx.notice(text);
  if (ctx.state.mode() == state::Mode::write) ctx.state.set_fact(key, text);
}

} // namespace

NetMode choose_network(Context& ctx, const VmSpec& spec) {
  auto want = spec.net ? spec.net : ctx.settings.net_mode;
  NetMode mode = NetMode::isolated;
  if (want != NetMode::isolated) {
    UserNetFault fault = user_net_fault(ctx.dirs, &ctx.state);
    if (fault.missing.empty())
      mode = NetMode::user;
    else if (want)
      throw preflight("cannot use network mode 'user': {}", join(fault.missing, "; "))
          .hint(join(fault.mends, "; "));
    else
      tell_once(ctx, fmt::format("VMs are isolated, alone in their network, because this host has "
                                 "{}; to mend it: {}",
                                 join(fault.missing, "; "), join(fault.mends, "; ")));
  }
  check_ports(ctx, "", spec.publish);
  check_answers(spec.name, mode, ctx.settings.net_isolated_outbound, spec.publish);
  if (spec.ip && mode == NetMode::isolated)
    throw usage("cannot give '{}' the address {}: it is isolated, alone in its network", spec.name,
                *spec.ip)
        .hint("--ip goes with --net user");
  return mode;
}

void require_mode(Context& ctx, const Vm& vm, NetMode mode) {
  VmSpec as;
  as.name = vm.name;
  as.net = mode;
  choose_network(ctx, as);
  check_answers(vm.name, mode, ctx.settings.net_isolated_outbound, vm.ports);
}

void move_to(Context& ctx, NetMode mode, Vm& vm) {
  vm.net_mode = mode;
  give_address(ctx, "change", {}, vm);
}

Vm add_vm_with_address(Context& ctx, const VmSpec& spec, Vm vm) {
  ctx.state.transaction([&] {
    give_address(ctx, "create", spec.ip, vm);
    check_ports(ctx, "", vm.ports);
    vm.reach.clear(); // this body may run again
    vm.ports = spec.publish;
    vm = ctx.state.add_vm(vm);
    if (vm.ports.empty()) return;
    vm = ctx.state.change_vm(vm.id, [](Vm& v) {
      for (Port& p : v.ports)
        if (p.host_address.empty()) p.host_address = v.reach;
    });
  });
  return vm;
}

} // namespace banger::ops

#include "ops/net/lease.h"

#include <set>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "model/subnet.h"
#include "ops/net/nature.h"

namespace banger::ops {

void lease_shared(Context& ctx, std::string_view doing, const Subnet& subnet,
                  const std::optional<std::string>& ip, Vm& vm) {
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
        .hint("one subnet serves all VMs of a network: set it back, or remove them first");
  if (wish && !subnet.is_for_guests(*wish))
    throw usage("invalid address '{}': it is not one for VMs of {}", *ip, subnet.text())
        .hint(
            fmt::format("{} to .3 and .15 belong to the network itself; {} sets the subnet",
                        to_text(subnet.bridge()),
                        nature_of(vm.net_mode).is_host ? "banger net up --subnet" : "net.subnet"));
  auto address = wish ? wish : subnet.lowest_free(taken);
  if (!address)
    throw conflict("cannot {} '{}': no address of {} is left", doing, vm.name, subnet.text())
        .subject(vm.name)
        .hint("remove VMs that you do not need");
  vm.address = to_text(*address);
  vm.mac = mac_of(*address);
  vm.prefix = subnet.prefix();
}

void settle_reach(Context& ctx, Vm& vm) {
  const std::string before = vm.reach;
  if (nature_of(vm.net_mode).is_host)
    vm.reach = vm.address;
  else if (!vm.reach.starts_with("127."))
    vm.reach = ctx.state.free_reach();
  for (Port& p : vm.ports)
    if (!before.empty() && p.host_address == before) p.host_address = vm.reach;
}

} // namespace banger::ops

#include "ops/monitor/attach.h"

#include "model/subnet.h"
#include "ops/net/host_ports.h"

namespace banger::ops {

std::string resolver_of(const Vm& vm) {
  return to_text(Subnet::around(vm.address, vm.prefix).resolver());
}

void prepare_network(Context& ctx, PrivateNet& net, Vm& vm) {
  vm = ctx.state.get_vm(vm.id); // a port may have been published since this row was read
  if (vm.net_mode == NetMode::user) return net.forward(vm);
  Vm chosen = vm;
  choose_ports(chosen);
  record_ports(ctx, vm, chosen);
}

std::optional<vmm::UserNet> user_net_of(const MonitorRequest& request, const Vm& vm) {
  if (vm.net_mode != NetMode::isolated) return {};
  // Published when the way out was open.
  check_answers(vm.name, vm.net_mode, request.isolated_outbound, vm.ports);
  vmm::UserNet net;
  net.subnet = Subnet::around(vm.address, vm.prefix).text();
  net.gateway = vm.gateway;
  net.dns = resolver_of(vm);
  net.guest = vm.address;
  net.restricted = !request.isolated_outbound;
  net.forwards = {{"tcp", vm.reach, vm.ssh_port, 22}};
  net.forwards.insert(net.forwards.end(), vm.ports.begin(), vm.ports.end());
  return net;
}

} // namespace banger::ops

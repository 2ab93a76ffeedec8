#include "ops/net/isolated.h"

#include "model/subnet.h"
#include "ops/net/host_ports.h"

namespace banger::ops {

vmm::UserNet isolated_net(const Vm& vm, bool outbound) {
  // Published when the way out was open.
  check_answers(vm.name, vm.net_mode, outbound, vm.ports);
  vmm::UserNet net;
  net.subnet = Subnet::around(vm.address, vm.prefix).text();
  net.gateway = vm.gateway;
  net.dns = resolver_of(vm);
  net.guest = vm.address;
  net.restricted = !outbound;
  net.forwards = {{"tcp", vm.reach, vm.ssh_port, 22}};
  net.forwards.insert(net.forwards.end(), vm.ports.begin(), vm.ports.end());
  return net;
}

std::string resolver_of(const Vm& vm) {
  return to_text(Subnet::around(vm.address, vm.prefix).resolver());
}

} // namespace banger::ops

#include "ops/net/isolated.h"

#include "core/error.h"
#include "model/port.h"
#include "model/subnet.h"
#include "ops/net/host_ports.h"

namespace banger::ops {

namespace {

// Alone behind its VMM's own network, every guest may have the same addresses.
constexpr const char* subnet_of_all = "10.0.2.0/24";
constexpr const char* address_of_all = "10.0.2.15";

Error of_the_vmm(const Vm& vm, const Port& port) {
  return failed("{} of '{}' is its VMM's own", to_text(port), vm.name).subject(vm.name);
}

} // namespace

void Isolated::lease(std::string_view, const std::optional<std::string>&, Vm& vm) {
  Subnet subnet = Subnet::parse(subnet_of_all);
  vm.address = address_of_all;
  vm.prefix = subnet.prefix();
  vm.gateway = to_text(subnet.way_out());
  vm.mac = vmm::mac_of(vm.id);
}

void Isolated::attach(Vm& vm) {
  Vm chosen = vm;
  choose_ports(chosen);
  record_ports(ctx_, vm, chosen);
}

NetPlace::Attachment Isolated::attachment(const Vm& vm, bool way_out) {
  // A port of UDP may have been published while the VM had a way out.
  check_answers(vm.name, vm.net_mode, way_out, vm.ports);
  vmm::UserNet net;
  net.subnet = Subnet::around(vm.address, vm.prefix).text();
  net.gateway = vm.gateway;
  net.dns = resolver(vm);
  net.guest = vm.address;
  net.restricted = !way_out;
  net.forwards = {{"tcp", vm.reach, vm.ssh_port, 22}};
  net.forwards.insert(net.forwards.end(), vm.ports.begin(), vm.ports.end());
  return {net};
}

void Isolated::add_forward(const Vm& vm, const Port& port) { throw of_the_vmm(vm, port); }
void Isolated::remove_forward(const Vm& vm, const Port& port) { throw of_the_vmm(vm, port); }

} // namespace banger::ops

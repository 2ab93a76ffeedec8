// Which ports of the host a VM gets. What is published without an address stands in a list of ports
// twice, at 127.0.0.1 and at the VM's own address, which is empty as long as the VM is not made.
#pragma once

#include <span>

#include "model/vm.h"
#include "ops/common/context.h"

namespace banger::ops {

// Sets ssh_port and the ports' host numbers to what can be had now: their own where the host lets
// us bind them, else (a low port, which only root may have) a free high one. Throws
// Error(conflict) for a published one that another program listens on.
void choose_ports(Vm& vm);
// What the ports that are looked at are, for a hint that can be typed.
enum class Asked {
  of_new_vm, // create, run
  now,       // of a VM that is there, by `net publish`
  recorded   // in its row
};

// Whose ports they are: all empty but the name of one that is not made yet.
struct PortsOf {
  std::string id, name, reach;
  PortsOf(const Vm& vm) : id(vm.id), name(vm.name), reach(vm.reach) {}
  PortsOf(const VmSpec& spec) : name(spec.name) {}
};

// Puts those of `chosen` into the row, for as long as the host runs; `vm` is the row then.
void record_ports(Context& ctx, Vm& vm, const Vm& chosen);

// Throws Error(conflict) for a port of UDP of a VM that has no way out where a setting decides
// about that (ops/net/nature.h): libslirp drops all that such a guest sends by UDP, answers too.
void check_answers(const std::string& vm, NetMode mode, bool way_out,
                   const std::vector<Port>& ports);

// Throws Error(conflict) that names the VM which publishes the same port already, or says that
// the list itself has it twice; Error(usage) for more than a VM may have.
void check_ports(Context& ctx, const PortsOf& vm, const std::vector<Port>& ports);

// What choose_ports would find, before anything is touched: Error(conflict) that names all of the
// ports which another program has, and who that is. The VM must not run.
void require_free_ports(const PortsOf& vm, const std::vector<Port>& ports, Asked asked);

// Ports of a VM that runs: their own numbers or, for a low one, a free high one, which is the same
// at all addresses. Throws Error(conflict) when another program has one.
void choose_ports(const PortsOf& vm, std::span<Port> ports, Asked asked);

// The same port at the VM's own address of one at 127.0.0.1, and the other way round; none where
// `all` does not have it.
const Port* find_twin(const PortsOf& vm, const Port& port, std::span<const Port> all);
// As it is typed: "8080:80" where `all` has both.
std::string as_typed(const PortsOf& vm, const Port& port, std::span<const Port> all);

} // namespace banger::ops

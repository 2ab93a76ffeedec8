// The ports of the host that a VM gets. A port that is published without an address is in the list
// twice: at 127.0.0.1 and at the VM's own address, which is empty until the VM is made.
#pragma once

#include <span>

#include "model/vm.h"
#include "ops/common/context.h"

namespace banger::ops {

// Sets ssh_port and the ports' host numbers to numbers that are free now: their own where the host
// lets us bind them, else (a low port, which only root may have) a free high one. Throws
// Error(conflict) for a published port that another program listens on.
void choose_ports(Vm& vm);
// The origin of the ports that are checked: it decides the command in a hint.
enum class Asked {
  of_new_vm, // create, run
  now,       // of a VM that is there, by `net publish`
  recorded   // in its row
};

// The VM that the ports belong to. Of a VM that is not made yet only the name is known.
struct PortsOf {
  std::string id, name, reach;
  bool reach_is_guests = false; // its own address is no address of the host's: nobody listens there
  PortsOf(const Vm& vm);
  PortsOf(const VmSpec& spec) : name(spec.name) {}
};

// Puts the ports of `chosen` into the row, for as long as the host runs; `vm` is the row then.
void record_ports(Context& ctx, Vm& vm, const Vm& chosen);

// Throws Error(conflict) for a port of UDP of a VM that has no way out where a setting decides
// about that (ops/net/nature.h): libslirp drops all that such a guest sends by UDP, answers too.
void check_answers(const std::string& vm, NetMode mode, bool way_out,
                   const std::vector<Port>& ports);

// Throws Error(conflict) that names the VM which publishes the same port already, or says that
// the list itself has it twice; Error(usage) for more than a VM may have.
void check_ports(Context& ctx, const PortsOf& vm, const std::vector<Port>& ports);

// Finds what choose_ports() would stumble on, before anything is changed: throws Error(conflict)
// that names every port that another program has, and that program. The VM must not run.
void require_free_ports(const PortsOf& vm, const std::vector<Port>& ports, Asked asked);

// Throws Error(conflict) for a port at an address that the host does not have. The ports themselves
// may be taken.
void require_addresses(const PortsOf& vm, const std::vector<Port>& ports);

// Ports of a VM that runs: their own numbers or, for a low one, a free high one, which is the same
// at all addresses. Throws Error(conflict) when another program has one, or the host has no such
// address.
void choose_ports(const PortsOf& vm, std::span<Port> ports, Asked asked);

// For a port at 127.0.0.1 the same port at the VM's own address, and the other way round. Null
// where `all` does not have it.
const Port* find_twin(const PortsOf& vm, const Port& port, std::span<const Port> all);
// The port as people type it: "8080:80" where `all` has both.
std::string as_typed(const PortsOf& vm, const Port& port, std::span<const Port> all);

} // namespace banger::ops

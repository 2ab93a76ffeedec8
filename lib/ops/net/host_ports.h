// Which ports of the host a VM gets.
#pragma once

#include "model/vm.h"
#include "ops/common/context.h"

namespace banger::ops {

// Sets ssh_port and the ports' host numbers to what can be had now: their own where the host lets
// us bind them, else (a low port, which only root may have) a free high one. Throws
// Error(conflict) for a published one that another program listens on.
void choose_ports(Vm& vm);
// Puts those of `chosen` into the row, for as long as the host runs; `vm` is the row then.
void record_ports(Context& ctx, Vm& vm, const Vm& chosen);

// Throws Error(conflict) that names the VM which publishes the same port already, or says that
// the list itself has it twice. `self` is the id of the VM whose ports they are; "" for a new one.
void check_ports(Context& ctx, const std::string& self, const std::vector<Port>& ports);

// Throws Error(conflict) for a port of UDP of a VM that has no way out where a setting decides
// about that (ops/net/nature.h): libslirp drops all that such a guest sends by UDP, answers too.
void check_answers(const std::string& vm, NetMode mode, bool way_out,
                   const std::vector<Port>& ports);

// What choose_ports would find, before anything is touched: Error(conflict) that names all of the
// ports which another program has. Those without an address of the host yet are free. `vm` must not
// run.
void require_free_ports(const std::string& vm, const std::vector<Port>& ports);

// One port of a VM that runs: its own number or, for a low one, a free high one. Throws
// Error(conflict) when another program has it.
void choose_port(const std::string& vm, Port& port);

} // namespace banger::ops

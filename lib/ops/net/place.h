// A network's place: the acts that a VM needs in its network, behind one interface for all kinds of
// networks.
//
//   user      the state's private network                ops/net/private_net.h
//   bridge    a bridge in the host's namespace           ops/net/bridge_net.h
//   isolated  its VMM's own, with no other VM in it      ops/net/isolated.h
//
// A further kind of network is a class like those, a line in open_place() and in all_places()
// (ops/net/open_place.h), and its nature (ops/net/nature.h).
//
// A call that changes something may be killed at any point: the next one finishes it or undoes it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/vm.h"
#include "ops/common/context.h"
#include "sys/namespace.h"
#include "vmm/machine.h"

namespace banger::ops {

class NetPlace {
public:
  virtual ~NetPlace() = default;

  // Gives the VM an address there, `ip` if that is asked for; its ports stay, and its
  // reach (but see settle_reach). The
  // caller owns the transaction and writes the row. Throws Error(conflict), "cannot DOING", where
  // the address is another VM's, none is left, or VMs have addresses of another subnet;
  // Error(usage) for an address outside the subnet.
  virtual void lease(std::string_view doing, const std::optional<std::string>& ip, Vm& vm) = 0;

  // For a VM that starts: makes its place, and chooses the host's ports for its ssh and its
  // published ports. They are recorded in the row, and forwarded unless the VMM does that. The
  // place that it had before is replaced. Error(conflict) when a published port is taken.
  virtual void attach(Vm& vm) = 0;
  // For a VM that was attached: makes again what is missing. Called after each end of its VMM.
  virtual void bring(const Vm& vm) = 0;
  // The same while its VMM runs. Does nothing for a VM that has left.
  virtual void repair(const Vm& vm) = 0;
  // Takes the VM's place away, with all connections. A VM that has no place there is no failure.
  virtual void leave(const Vm& vm) = 0;
  // The same for every VM that has a place there and does not run any more. Waits for no lock.
  virtual void tidy() = 0;

  // How the machine is attached, and in which namespaces its VMM is started. After attach() or
  // bring(). `way_out`: where a setting decides about a way out (NetNature), it has one.
  struct Attachment {
    vmm::Net net;
    std::optional<sys::Namespaces> where = {};
  };
  virtual Attachment attachment(const Vm& vm, bool way_out) = 0;
  // The resolver that its guest is told when it boots. After attach().
  virtual std::string resolver(const Vm& vm) = 0;
  // The processes that an attached VM needs; an empty one is missing. When one dies, repair() is
  // due.
  virtual std::vector<ProcessId> keepers(const Vm& vm) = 0;

  // Ports of a VM that runs, where they are not its VMM's own (NetNature). The row is the caller's.
  virtual void add_forward(const Vm& vm, const Port& port) = 0;
  virtual void remove_forward(const Vm& vm, const Port& port) = 0;
};

// The resolver of a VM's way out, libslirp's own: it asks the first name server of the host.
std::string resolver_of_way(const Vm& vm);

// attach(), bring() ("join"), repair() or leave(), by its name. Throws Error(usage) for another.
void act_in(NetPlace& place, std::string_view act, Vm& vm);

} // namespace banger::ops

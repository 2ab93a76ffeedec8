// How the networks that a VM can have differ, as far as that is known without touching one. Their
// acts are in ops/net/place.h. Pure.
//
// Code that depends on the network asks for one of these abilities, never which mode a VM has.
#pragma once

#include "model/vm.h"

namespace banger::ops {

struct NetNature {
  // Its VMs reach each other, and each has an address of its own, of net.subnet. Else a VM is alone
  // in its network, where every VM has the same address.
  bool shared = false;
  // The network is the state's private one, which the host must allow.
  bool is_private = false;
  // It is the host's: there from `banger net up` on, and the host reaches each VM at its address.
  bool is_host = false;
  // The host's own addresses are closed to its VMs, unless net.host_access opens them.
  bool guards_host = false;
  // Its VMs have a way out only where net.isolated_outbound says so; without one, no answer of UDP
  // leaves them.
  bool way_out_by_setting = false;
  // A VM's ports on the host are its VMM's own: the monitor has it open and close them, and they
  // end with it.
  bool vmm_forwards = false;
  // Joining and leaving may take long, for other VMs are waited for.
  bool waits = false;
};

// Throws Error(failed) for a mode that this build does not have.
const NetNature& nature_of(NetMode mode);

// The mode that `auto` gives a VM: the host's network where that was made for the state, else by
// whether the host allows a private one.
NetMode automatic_mode(bool host_network, bool private_network);

} // namespace banger::ops

// A VM's own way out of the private network, and the way in to its published ports of TCP: a
// slirp4netns that serves this VM alone (net/render.h keeps others from it).
//
// A VM that uses up its slirp4netns (descriptors, ports of the host, a processor's time) takes
// nothing from other VMs. Every connection through it ends with it. It works in RUNTIME/TAG/ID.way,
// where its socket is: out of reach of the VM's VMM, which has RUNTIME/TAG/ID.
// It is the state's host object of kind slirp with the VM's id: written down as soon as it runs,
// and as made when the bridge has its tap.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ops/common/context.h"
#include "sys/namespace.h"
#include "sys/process.h"

namespace banger::ops {

struct WayOut {
  ProcessId slirp; // empty: it has none
  bool made = false;
};

// The path of the socket of the VM's slirp4netns, whether that runs or not.
std::string way_socket(const Dirs& dirs, const std::string& tag, const Vm& vm);

// The MTU of a slirp4netns that runs: another build may have started it.
int mtu_of_way(const ProcessId& slirp);

// The VM's way out as the state has it, by the VM's id; its process may have died.
WayOut find_way(state::State& state, const std::string& vm);
// All ways out by the VMs' ids, also those of VMs that have gone.
std::map<std::string, ProcessId> all_ways(state::State& state);

// Starts it in that namespace for the VM with that tap, in place of one that is there, and waits
// until it is ready. It is not attached yet. Error(failed) with its last words where it does not
// come up. The caller must reap the process.
sys::Child start_way(Context& ctx, const Vm& vm, int tap, const sys::Namespaces& where);
// The bridge has it.
void record_way_made(Context& ctx, const Vm& vm, int tap);
// Ends it, recorded or not; does nothing where there is none. Where the VM's row has gone, `vm` has
// only the id.
void end_way(Context& ctx, const Vm& vm);

} // namespace banger::ops

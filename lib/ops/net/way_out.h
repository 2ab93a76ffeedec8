// A VM's own way out of the private network, and the way in to its published ports of TCP: a
// slirp4netns that serves this VM alone (net/render.h keeps others from it).
//
// What one VM uses up of it (descriptors, ports of the host, a processor's time) no other VM
// misses, and every connection through it ends when it does. It works in RUNTIME/TAG/ID/way, and is
// the state's host object of kind slirp with the VM's id: written down as soon as it runs, and as
// made when the bridge has its tap.
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

// Where the VM's answers, whether it runs or not.
std::string way_socket(const Dirs& dirs, const std::string& tag, const Vm& vm);

// The MTU of one that runs: another build may have started it.
int mtu_of_way(const ProcessId& slirp);

// As the state has it, by the VM's id; a row of a process that died is one too.
WayOut find_way(state::State& state, const std::string& vm);
// By the VMs' ids, those of VMs that have gone too.
std::map<std::string, ProcessId> all_ways(state::State& state);

// Starts it in that namespace for the VM with that tap, in place of one that is there, and waits
// until it is ready. It is not attached yet. Error(failed) with its last words where it does not
// come up. The process that is returned must be reaped by who started it.
sys::Child start_way(Context& ctx, const Vm& vm, int tap, const sys::Namespaces& where);
// The bridge has it.
void record_way_made(Context& ctx, const Vm& vm, int tap);
// Ends it, recorded or not; nothing where there is none. Of a VM whose row has gone, `vm` is the id
// alone.
void end_way(Context& ctx, const Vm& vm);

} // namespace banger::ops

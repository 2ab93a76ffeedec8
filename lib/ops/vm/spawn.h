// Starting a VM's monitor, for a boot or to take over a VMM whose monitor died.
#pragma once

#include "core/handle.h"
#include "ops/common/context.h"
#include "ops/link/link.h"
#include "sys/process.h"

namespace banger::ops {

struct SpawnedMonitor {
  sys::Child process; // outlives the verb
  Fd link;            // its Report lines
};

// Starts libexec/banger/banger-monitor with the request. Detached it is in a session of its own;
// else it stays in the caller's (run --foreground).
SpawnedMonitor spawn_monitor(Context& ctx, const Vm& vm, const MonitorRequest& request,
                             bool detached);

// The part that every request has in common.
MonitorRequest base_request(Context& ctx, const Vm& vm);

// A new monitor for a VMM that runs; waits until it has taken over. The caller holds op.lock.
void adopt_vm(Context& ctx, const Vm& vm);

} // namespace banger::ops

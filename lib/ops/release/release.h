// The end of a VM whose monitor died: the objects that it had on the host are given back, and its
// row tells of it.
#pragma once

#include "ops/common/context.h"
#include "ops/common/places.h"

namespace banger::ops {

// The reason of a VM whose end no monitor saw.
inline constexpr const char* unobserved = "unobserved";

// Ends the cell of the VM's runtime directory (sys/cells.h), and every process that works in that
// directory, and waits until they have ended. It is made by us for this VM alone, so a process that
// has it as its working directory is its VMM, recorded or not (a monitor may have died between
// starting it and writing its identity down).
void end_vmm(const Vm& vm, const Places& places);

// Sees to it that the VM's locks can be opened where something else lies in their place, or they
// may not be opened: a file where its directory was, a directory where a lock was, rights that were
// taken away. A missing directory is left to its callers. No lock that is held is touched.
void mend_locks(const Places& places);

// The row of a VM whose run is over, however that was: the one place where a run is cleared. The
// write is the caller's.
void end_run(Vm& row, VmState state, const std::string& reason);

// Ends its VMM, unmaps its root disk, gives its network back, removes its runtime directory and
// clears its run from the row, which gets that state and reason. Returns the row. The caller holds
// op.lock; no monitor lives.
Vm settle_vm(Context& ctx, const Vm& vm, const Places& places, VmState state, const char* reason);

} // namespace banger::ops

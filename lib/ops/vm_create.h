// Makes a VM: a row, a directory, a root disk. It is not started.
#pragma once

#include <functional>

#include "disk/root.h"
#include "ops/context.h"

namespace banger::ops {

// What would be done, for --dry-run.
struct CreatePlan {
  VmSpec spec;
  Image image;
  disk::RootPlan root;
};

// Checks everything that can be checked before anything is touched: name, sizes, image, free space.
// An image of the bundle may be imported by this. Throws Error(usage|conflict|preflight|not_found).
CreatePlan plan_create(Context& ctx, const VmSpec& spec);

// The row is written first (`creating`), the disk made, then the row is `stopped`. A failure undoes
// all of it and gives the space back; a crash leaves a row that the next mutating command removes.
Vm create_vm(Context& ctx, const VmSpec& spec);

} // namespace banger::ops

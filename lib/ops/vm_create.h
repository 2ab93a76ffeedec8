// Makes a VM: a row, a directory, a root disk. It is not started.
#pragma once

#include <vector>

#include "disk/root.h"
#include "disk/work.h"
#include "ops/context.h"

namespace banger::ops {

// What would be done, for --dry-run.
struct CreatePlan {
  VmSpec spec;
  Image image;
  disk::RootPlan root;
  std::optional<disk::WorkPlan> work;
  NetMode net = NetMode::isolated;
};

// Checks everything that can be checked before anything is touched: name, sizes, image, free space.
// An image of the bundle may be imported by this. Throws Error(usage|conflict|preflight|not_found).
CreatePlan plan_create(Context& ctx, const VmSpec& spec);

// Throws Error(usage) for a number of cpus or an amount of memory that no VM can have.
void check_machine(int cpus, int64_t memory);

// The row is written first (`creating`), the disk made, then the row is `stopped`. A failure undoes
// all of it and gives the space back; a crash leaves a row that the next mutating command removes.
Vm create_vm(Context& ctx, const VmSpec& spec);

// All of them or none, whatever dies meanwhile: every row stays `creating` until the last disk is
// made, then all become `stopped` in one commit. Returned in the order of the specs.
std::vector<Vm> create_vms(Context& ctx, const std::vector<VmSpec>& specs);

} // namespace banger::ops

// Makes a VM: a row, a directory, a root disk. It is not started.
#pragma once

#include <vector>

#include "disk/root.h"
#include "disk/work.h"
#include "ops/common/context.h"

namespace banger::ops {

struct CreatePlan {
  VmSpec spec;
  Image image; // its id is empty where it is the bundle's and still to be imported
  disk::RootPlan root;
  std::optional<disk::WorkPlan> work;
  NetMode net = NetMode::isolated;
};

// Checks everything that can be checked before anything is touched, and touches nothing: name,
// sizes, image, network, free space; with `and_start` also what its start needs. Throws
// Error(preflight) that names everything missing at once, Error(usage|conflict|not_found).
CreatePlan plan_create(Context& ctx, const VmSpec& spec, bool and_start = false);

// Throws Error(usage) for a number of cpus or an amount of memory that no VM can have.
void check_machine(int cpus, int64_t memory);

// Throws Error(usage) for a limit of a work disk where there is none.
void require_place_for(const RateLimits& limits, bool has_work_disk, const std::string& name);

// The row is written first (`creating`), the disk made, then the row is `stopped`. A failure undoes
// all of it and gives the space back; a crash leaves a row that the next mutating command removes.
// An image of the bundle is imported by the first VM that is made from it.
Vm create_vm(Context& ctx, const VmSpec& spec);
Vm create_vm(Context& ctx, CreatePlan plan);

// Makes all of them or none, even if the process is killed: every row stays `creating` until the
// last disk is made, then all become `stopped` in one commit. Returned in the order of the specs.
std::vector<Vm> create_vms(Context& ctx, const std::vector<VmSpec>& specs);

} // namespace banger::ops

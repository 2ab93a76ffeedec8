// Checks all that making and starting a VM needs, before anything is changed.
#pragma once

#include <vector>

#include "ops/common/context.h"
#include "ops/host/check.h"
#include "ops/host/vmm_choice.h"

namespace banger::ops {

// The wishes that its VMM must fulfil.
VmmWish wish_of(const Vm& vm);
VmmWish wish_of(const VmSpec& spec, NetMode net);

// For a start of `vm`.
std::vector<Check> check_start(Reader& in, const Vm& vm);

// The ports of the host that a VM which does not run publishes.
Check check_published(const Vm& vm);

// For a VM that is still to be made, by its spec: the image (empty: the one that create takes by
// itself), the memory and the network.
std::vector<Check> check_new(Reader& in, const VmSpec& spec);

// Throws Error(preflight) that names all that is missing for making such a VM and, with
// `and_start`, for its start. Its image is `image`, a check that was made already.
void require_new(Reader& in, const VmSpec& spec, bool and_start, const Check& image);

// Throws Error(preflight) that names all that would be missing for a start of `vm`, which runs now,
// after its stop.
void require_restart(Reader& in, const Vm& vm);

// Throws Error(preflight) when `vm` and the VMs that run would exceed vm.memory_limit. Called in
// the transaction that starts `vm`, so that two starts at once cannot both take the last room.
void require_within_limit(const Settings& settings, state::State& state, const Vm& vm);

} // namespace banger::ops

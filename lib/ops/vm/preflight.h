// What making and starting a VM needs, all of it looked at before anything is touched.
#pragma once

#include <vector>

#include "ops/common/context.h"
#include "ops/host/check.h"
#include "ops/host/vmm_choice.h"

namespace banger::ops {

// What is asked of its VMM.
VmmWish wish_of(const Vm& vm);
VmmWish wish_of(const VmSpec& spec, NetMode net);

// For a start of `vm`.
std::vector<Check> check_start(Reader& in, const Vm& vm);

// The ports of the host that a VM which does not run publishes.
Check check_published(const Vm& vm);

// For a VM that is still to be made, of what the spec says: image (empty: the one that create takes
// by itself), memory, network.
std::vector<Check> check_new(Reader& in, const VmSpec& spec);

// Throws Error(preflight) that names all that is missing for making such a VM and, with
// `and_start`, for its start. Its image is `image`, a check that was made already.
void require_new(Reader& in, const VmSpec& spec, bool and_start, const Check& image);

// Throws Error(preflight) that names all that a start of `vm`, which runs, would miss after it was
// stopped.
void require_restart(Reader& in, const Vm& vm);

// Throws Error(preflight) when it and the VMs that run would have more than vm.memory_limit. In the
// transaction that makes it one of them, so that of two at once only one is too many.
void require_within_limit(const Settings& settings, state::State& state, const Vm& vm);

} // namespace banger::ops

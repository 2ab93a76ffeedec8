// Reading VMs for people and pipelines. Changes nothing, cleans nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/settings.h"
#include "model/vm.h"
#include "state/state.h"

namespace banger::ops {

struct VmFilter {
  std::optional<VmState> state;
  Labels labels; // all of them
};

// By name, each with the state that identity shows.
std::vector<Vm> list_vms(state::State& state, const Dirs& dirs, const VmFilter& filter);
Vm view_vm(state::State& state, const Dirs& dirs, const std::string& ref);

// Bytes that the VM's root disk takes on the host; none where it is gone.
std::optional<int64_t> root_used(const Dirs& dirs, const Vm& vm);

} // namespace banger::ops

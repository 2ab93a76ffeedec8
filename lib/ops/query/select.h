// Which VMs a verb is about.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/vm.h"
#include "ops/common/context.h"

namespace banger::ops {

struct VmQuery {
  // Names and id prefixes; none: all VMs. An empty list selects nothing.
  std::optional<std::vector<std::string>> refs;
  std::vector<std::pair<std::string, std::string>> labels; // all of them
  std::set<VmState> states;                                // any of them; empty: whatever state
  bool operator==(const VmQuery&) const = default;
};

bool matches(const Vm& vm, const VmQuery& query);

// The VMs' names: in the order of the refs, else by name; each once. A ref of no VM (or of several)
// stays as it is, so that the verb that acts on it reports its fault. Changes nothing.
std::vector<std::string> select_vms(Reader& in, const VmQuery& query);

// The VMs themselves, each with the state that identity shows. A ref of no VM goes to `unknown`.
std::vector<Vm> find_vms(Reader& in, const VmQuery& query, std::vector<std::string>& unknown);

} // namespace banger::ops

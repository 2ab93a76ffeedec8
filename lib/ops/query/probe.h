// Whether the traffic of a VM that runs arrives, tried for real, and what stands in its way where
// it does not: between guest and host, from the guest outwards, names, published ports. On every
// network.
//
// The guest tries by its own tools, over ssh (bash, or busybox's nc and nslookup); this process
// tries the same from the host, so that an outside that is down is not held against the guest. On
// the network `bridge` the helper watches the packets meanwhile (net/flow_watch.h) and names the
// chain that drops them. Nothing is changed, and nothing is left behind.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/vm.h"
#include "ops/common/context.h"
#include "ops/query/outside.h"
#include "ops/query/probe_try.h"

namespace banger::ops {

struct Probe {
  Vm vm;
  std::vector<ProbeTry> tries; // in the order above
  // None of them was lost.
  bool arrives() const;
};

// `to`: where outside the guest is to get by TCP; else a name server of the host's, or the host's
// gateway. Takes seconds where something does not answer, a minute at most for each look at the
// guest. Throws Error(not_found), Error(conflict) for a VM that does not run; what is found in the
// way is never thrown.
Probe probe_vm(Reader& in, const std::string& ref, const std::optional<Outside>& to = {});

} // namespace banger::ops

// The operation of `banger doctor --smoke`: what no look at this host proves, tried with a VM that
// is made for it and removed: it answers over ssh, its traffic arrives, and nothing is left of it.
#pragma once

#include <functional>
#include <optional>

#include "core/error.h"
#include "model/endpoint.h"
#include "ops/common/context.h"
#include "ops/host/check.h"

namespace banger::ops {

struct SmokeRequest {
  // On the network `bridge`, which is borrowed where it is down (ops/net/bridge.h); else where a
  // new VM would be.
  bool nat = false;
  std::optional<Endpoint> to = {}; // as probe_vm's (ops/query/probe.h)
};

// Tells each step as soon as it is known: ok, missing where it failed, warn where it could not be
// tried here. Gives the code of the first that failed; none: all is well.
//
// The VM has a name of its own, and is one of `run --rm`: whatever this process dies of, it is
// ended and removed, and a borrowed bridge with it. INT, TERM and HUP end this process only after
// that. Throws only where one of those came, or where what it made could not be removed.
std::optional<Code> smoke(Context& ctx, const SmokeRequest& request,
                          const std::function<void(const Check&)>& tell);

} // namespace banger::ops

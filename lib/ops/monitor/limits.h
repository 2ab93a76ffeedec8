// The limits of what a VM may move, changed while its guest runs.
//
// The monitor alone does it: first the VMM, then the row. So what the row says is what the VMM
// does, whoever is killed meanwhile: a monitor that takes a VMM over makes it do what the row says.
#pragma once

#include <optional>

#include "ops/common/context.h"
#include "ops/common/places.h"
#include "ops/monitor/preparation.h"
#include "ops/monitor/reply.h"
#include "ops/monitor/row.h"
#include "ops/monitor/vmm.h"

namespace banger::ops {

class Limits {
public:
  // All must outlive this. `prepared` gets what changes, for the next VMM of a guest that reboots.
  Limits(Log& log, Row& row, const Places& places, Vmm& vmm, std::optional<Prepared>& prepared)
      : log_(log), row_(row), places_(places), vmm_(vmm), prepared_(prepared) {}

  // `words` has all of them (model/rate_limit.h). After a refusal those of before are in force.
  void change(const std::string& words, const Reply& reply);
  // Has the VMM do what the row says. Where it does not, that is a line of the log.
  void enforce();

private:
  void set(const RateLimits& limits, vmm::Done done);

  Log& log_;
  Row& row_;
  const Places& places_;
  Vmm& vmm_;
  std::optional<Prepared>& prepared_;
};

} // namespace banger::ops

// The means of a verb that changes something.
#pragma once

#include <vector>

#include "ops/common/open.h"
#include "ops/recover/reconcile.h"

namespace banger::ops {

// Rows that something dead left are settled before anything else is done. Not so with Mode::read,
// for a verb that only says what it would do: nothing is changed then.
class Work : public Opened {
public:
  Work(const Settings& s, const Dirs& d, Log& l, Tell tell, state::Mode mode = state::Mode::write)
      : Opened(s, d, l, std::move(tell), mode) {
    if (mode == state::Mode::write) settled = reconcile(*this);
  }

  std::vector<Reconciled> settled;
};

} // namespace banger::ops

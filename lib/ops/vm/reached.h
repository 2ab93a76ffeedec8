// The result of a verb that brings a VM into a state: to be in it already is success.
#pragma once

#include "model/vm.h"

namespace banger::ops {

struct Reached {
  Vm vm;               // the row as it is then
  bool changed = true; // false: it was so before
};

} // namespace banger::ops

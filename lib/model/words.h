// States as they stand in a sentence.
#pragma once

#include <string>

#include <fmt/format.h>

#include "model/vm.h"

namespace banger {

// "it is stopped", "it has failed".
inline std::string is_now(VmState state) {
  switch (state) {
  case VmState::failed:
    return "it has failed";
  case VmState::creating:
    return "it is being made";
  case VmState::removing:
    return "it is being removed";
  default:
    return fmt::format("it is {}", name_of(state));
  }
}

} // namespace banger

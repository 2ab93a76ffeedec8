// Something that happened, as kept in the state and given by `banger vm events`.
#pragma once

#include <cstdint>
#include <string>

#include "core/clock.h"

namespace banger {

struct Event {
  int64_t seq = 0; // grows; given by the state
  WallTime time;
  std::string op;     // the operation's id, the same in the log
  std::string vm;     // its name, may be empty
  std::string type;   // "vm.created", "vm.ready", …
  std::string detail; // a JSON object as text, "{}" where there is none
};

} // namespace banger

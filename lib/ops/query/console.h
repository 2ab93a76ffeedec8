// A VM's serial line, attached to any caller that asks for it.
//
// The guest's output comes from the console's log, so any number can look on and the log goes on;
// typed bytes go through the VM's monitor.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "ops/common/context.h"

namespace banger::ops {

inline constexpr char console_escape = 0x1d; // Ctrl-]

struct ConsoleEnds {
  int in = 0;              // what is typed; its end is no end
  bool has_escape = false; // whether Ctrl-] leaves: where a person types
  int reader = -1;         // a pipe or socket; the session ends when it has no reader any more
  std::function<void(std::string_view)> show_past; // the last lines of what was said before
  std::function<void(std::string_view)> show;      // what the guest says, as it is
};

enum class ConsoleOutcome { left, vm_ended };

// Until Ctrl-], a signal that ends programs, the end of the VM, or of the reader. Throws
// Error(not_found), Error(conflict) for a VM that does not run.
ConsoleOutcome attach_console(Reader& in, const std::string& ref, const ConsoleEnds& ends);

} // namespace banger::ops

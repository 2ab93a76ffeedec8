// A VM's log files.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "ops/common/context.h"

namespace banger::ops {

enum class VmLog { console, vmm, lifecycle };

struct LogQuery {
  VmLog which = VmLog::console;
  size_t lines = 0;    // only the last so many; 0: all that is kept, at most 8 MiB
  bool follow = false; // then go on with what comes, until the VM has ended
  int reader = -1;     // a pipe or socket; following ends when it has no reader any more
};

// Gives the log piece by piece, as it was written. A log that is not there yet is empty. Throws
// Error(not_found).
void read_log(Reader& in, const std::string& ref, const LogQuery& query,
              const std::function<void(std::string_view)>& give);

} // namespace banger::ops

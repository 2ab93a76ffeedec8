// Waits until VMs are in a state that somebody else brings them into.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "ops/common/context.h"

namespace banger::ops {

enum class WaitFor { running, stopped };

struct Waited {
  std::string name;           // as it was given
  std::string state;          // its state when the waiting ended; empty where it is gone
  std::optional<Error> error; // why it is not what was waited for
};

// Waits for all of them at once and tells each as soon as it is known. `running`: a command ran in
// it over ssh. `stopped`: it does not run, for any reason, or is gone. Errors: timeout; not_found;
// for `running` the VM's own fault as soon as it is `failed`, and conflict as soon as one that ran
// or started is stopped (one that is stopped from the beginning is waited for: somebody may start
// it). Changes nothing, polls nothing.
void wait_for_vms(Reader& in, const std::vector<std::string>& refs, WaitFor goal,
                  std::optional<Millis> timeout, const std::function<void(Waited)>& tell);

} // namespace banger::ops

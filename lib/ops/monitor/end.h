// Decides the state of a VM whose VMM has ended. Pure.
#pragma once

#include <string>

#include "model/vm.h"
#include "ops/monitor/boot_progress.h"
#include "ops/monitor/stop_plan.h"
#include "vmm/ending.h"

namespace banger::ops {

struct EndFacts {
  vmm::Ending ending = vmm::Ending::died;
  Knock knock = Knock::none; // how far a stop has come
  bool was_still = false;    // its VMM had stopped it, and it could not be asked
  bool halted = false;       // its VMM was ended because no processor of it would go on
  bool booted = true;        // its guest was set going
  bool was_ready = false;
  bool remove_when_stopped = false;
  BootView view;
  std::string how; // the VMM's exit status, for people
};

struct End {
  enum class Next {
    stopped,
    failed,  // with a fault that the console shows
    died,    // with a fault that the VMM's log shows
    restart, // the guest rebooted
  };
  Next next = Next::stopped;
  std::string reason; // may be empty
  bool operator==(const End&) const = default;
};

// A stop that was asked for counts more than the VMM's report, and that more than the console.
End decide(const EndFacts& facts);

} // namespace banger::ops

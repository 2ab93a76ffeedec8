#include "ops/monitor/end.h"

namespace banger::ops {

End decide(const EndFacts& f) {
  using Next = End::Next;
  if (f.knock == Knock::kill) return {Next::stopped, "killed"};
  if (f.knock != Knock::none)
    return {Next::stopped, f.was_still ? "it was paused, and could not be asked to stop" : ""};
  if (f.halted) return {Next::stopped, "the guest halted"};
  End died{Next::died, "the VMM ended (" + f.how + ")"};
  if (!f.booted) return died;
  switch (f.ending) {
  case vmm::Ending::powered_off:
    return {Next::stopped, "the guest powered off"};
  case vmm::Ending::panicked:
    return {Next::failed, "kernel panic: " + f.view.last_words.panic.value_or("")};
  case vmm::Ending::rebooted:
    // That is how the bundle's init ends a guest that cannot come up.
    if (f.view.init_fault && !f.was_ready) return {Next::failed, stage_of(f.view).text};
    if (f.remove_when_stopped) return {Next::stopped, "the guest rebooted"};
    return {Next::restart, ""};
  case vmm::Ending::died:
    break;
  }
  if (f.view.init_fault && !f.was_ready) return {Next::failed, stage_of(f.view).text};
  return died;
}

} // namespace banger::ops

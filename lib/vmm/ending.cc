#include "vmm/ending.h"

namespace banger::vmm {

namespace {

// QEMU tells its end by events; a QEMU that was killed, or broke, tells none. A guest whose kernel
// panicked had ended before its VMM, whatever ended that.
Ending of_qemu(const std::vector<VmmEvent>& events, const ConsoleSigns& signs) {
  if (!events.empty() && events.back() == VmmEvent::guest_shutdown) return Ending::powered_off;
  if (signs.panic) return Ending::panicked;
  bool reset = !events.empty() && events.back() == VmmEvent::guest_reset;
  return reset ? Ending::rebooted : Ending::died;
}

// Firecracker ends with status 0 for a reboot, a panic and Ctrl-Alt-Del alike.
Ending of_firecracker(bool failed, const ConsoleSigns& signs) {
  if (signs.panic) return Ending::panicked;
  if (failed) return Ending::died;
  return signs.restarting ? Ending::rebooted : Ending::died;
}

} // namespace

Ending ending(VmmKind kind, const std::optional<sys::ExitStatus>& status,
              const std::vector<VmmEvent>& events, const ConsoleSigns& signs) {
  bool failed = status && !status->ok();
  switch (kind) {
  case VmmKind::qemu:
    return of_qemu(events, signs);
  case VmmKind::firecracker:
    return of_firecracker(failed, signs);
  }
  return Ending::died;
}

} // namespace banger::vmm

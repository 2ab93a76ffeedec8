// How a guest ended, told by what its VMM and its console left behind. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/vm.h"
#include "sys/process.h"

namespace banger::vmm {

enum class VmmEvent {
  guest_reset,    // reboot, panic, or our Ctrl-Alt-Del: the console tells which
  guest_shutdown, // the guest powered itself off
  host_quit       // the VMM was told to end, by us or by a signal
};

// The last words of a guest's kernel on its console. The guest can forge them.
struct ConsoleSigns {
  std::optional<std::string> panic; // why, unless the kernel said more after it
  bool restarting = false;
};

enum class Ending {
  powered_off, // by the guest itself
  rebooted,    // the guest asked to be started again
  panicked,
  died // the VMM: killed, failed, or without a word of why
};

// `status` is none for a VMM that was not this process's child. A power-off that the VMM reports is
// believed before the console, a panic on the console before all other reports. Where neither tells
// the end, the VMM died: if that were taken for a reboot, the VM might be started for ever.
Ending ending(VmmKind kind, const std::optional<sys::ExitStatus>& status,
              const std::vector<VmmEvent>& events, const ConsoleSigns& signs);

} // namespace banger::vmm

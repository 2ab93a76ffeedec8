#include "vmm/machine.h"

#include <fmt/format.h>

namespace banger::vmm {

std::string kernel_command_line(Accel accel, int64_t tsc_khz) {
  // A kernel that panics reboots at once; the console's last lines tell a panic from a reboot.
  std::string line = "console=ttyS0 quiet panic=-1";
  if (accel != Accel::tcg) return line;
  // An emulated processor's counter is its host's, the same on all of them. Left to itself the
  // kernel compares it with timers that come late on a busy host, takes it for broken, and counts
  // those late ticks instead: a third of the time was lost so.
  line += fmt::format(" tsc_early_khz={} tsc=reliable", tsc_khz);
  // An emulated boot skips two steps that take a tenth of it each: the kernel's tests of its
  // ciphers, and its patching of itself for one processor, where each written instruction makes the
  // emulator translate anew.
  return line + " cryptomgr.notests noreplace-smp";
}

std::string mac_of(const std::string& vm_id) {
  // 52:54:00 is the prefix that QEMU and libvirt use for guests.
  return fmt::format("52:54:00:{}:{}:{}", vm_id.substr(0, 2), vm_id.substr(2, 2),
                     vm_id.substr(4, 2));
}

} // namespace banger::vmm

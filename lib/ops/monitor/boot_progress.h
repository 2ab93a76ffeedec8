// The progress of a boot, put together from the console and from ssh, and told in words for people.
// Pure: the monitor passes in each sign and its time.
#pragma once

#include <optional>
#include <string>

#include "core/clock.h"
#include "core/error.h"
#include "guest/boot/console.h"
#include "guest/boot/protocol.h"
#include "model/vm.h"
#include "ops/link/boot_stage.h"
#include "vmm/ending.h"

namespace banger::ops {

// Everything known of one boot.
struct BootView {
  bool restored = false; // it goes on from its memory, and does not boot
  bool console_spoke = false;
  std::string init_stage;                // last stage of the bundle's init, empty before it
  std::optional<std::string> init_fault; // "STAGE: why"
  bool grew = false;                     // a file system
  std::string growth_fault;              // why one could not
  vmm::ConsoleSigns last_words;          // of the kernel
  guest::Stage ssh = guest::Stage::connecting;
  std::string ssh_detail;

  void see(guest::ConsoleSign sign, const std::string& text);
  // The init is done: the guest's network is there, and its own programs begin.
  bool has_userland() const { return restored || init_stage == "switch"; }
};

BootStage stage_of(const BootView& view);

// The fault of a boot that should have grown a file system and did not, for people; else empty.
std::string not_grown(const BootView& view, bool should_grow);

class BootProgress {
public:
  // A VMM was started, of a guest that boots, or is `restored`. `prepared`: the seconds until then.
  void begin(SteadyTime now, double prepared, bool restored = false);
  // Of a VM that another monitor brought up.
  void take_over(const BootTimings& timings);
  void see(guest::ConsoleSign sign, const std::string& text, SteadyTime now);
  void see(const guest::StageReport& report, SteadyTime now);
  // The stage that the boot waits in now, if it was not told yet. None once the guest was ready.
  std::optional<BootStage> news();
  // For good: the boots that follow, at a guest's own reboot, are not timed and not told.
  void become_ready(SteadyTime now);
  // The error of a guest that ended, or is no good: how far it came, and the last of its console.
  Error fault(const std::string& console) const;
  bool was_ready() const { return was_ready_; }
  const BootView& view() const { return view_; }
  const BootTimings& timings() const { return timings_; }

private:
  void mark(std::optional<double> BootTimings::*phase, SteadyTime now);

  BootView view_;
  BootTimings timings_;
  SteadyTime phase_start_{};
  std::string told_;
  bool was_ready_ = false;
};

} // namespace banger::ops

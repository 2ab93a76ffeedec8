#include "ops/monitor/boot_progress.h"

#include "core/text.h"
#include "core/units.h"

namespace banger::ops {

void BootView::see(guest::ConsoleSign sign, const std::string& text) {
  using guest::ConsoleSign;
  switch (sign) {
  case ConsoleSign::first_byte:
    console_spoke = true;
    break;
  case ConsoleSign::init_stage:
    init_stage = text;
    grew = grew || text == "grow";
    break;
  case ConsoleSign::init_failed:
    // The one failure of the init after which the guest works all the same.
    if (text.starts_with("grow: "))
      growth_fault = text.substr(6);
    else
      init_fault = text;
    break;
  case ConsoleSign::panic:
    last_words.panic = text;
    break;
  case ConsoleSign::restarting:
    last_words.restarting = true;
    last_words.panic.reset(); // a kernel that panics says no more than that
    break;
  case ConsoleSign::power_down:
    last_words.panic.reset();
    break;
  case ConsoleSign::halted: // only the VMM knows
    break;
  }
}

BootStage stage_of(const BootView& v) {
  using guest::Stage;
  if (v.last_words.panic) return {"kernel", "the kernel panicked: " + *v.last_words.panic};
  // The init's own fault explains why ssh does not answer.
  if (v.init_fault && v.ssh <= Stage::closed)
    return {v.init_fault->starts_with("net") ? "network" : "init",
            "init failed at " + *v.init_fault};
  switch (v.ssh) {
  case Stage::connecting:
  case Stage::no_answer:
    break;
  case Stage::closed:
    if (!v.has_userland() || v.restored) break;
    return {"port", "nothing listens on its ssh port", "booting: waiting for its ssh server"};
  case Stage::banner:
    return {"ssh", "its ssh server answers, and does not get further", "its ssh server answers"};
  case Stage::auth:
    return {"login", "logging in over ssh", "logging in over ssh"};
  case Stage::refused:
    return {"login",
            "its ssh server refuses the key" + (v.ssh_detail.empty() ? "" : ": " + v.ssh_detail)};
  case Stage::mismatch:
    return {"login", "its ssh server has another host key than banger gave it"};
  case Stage::ready:
    return {"ready", "ready", "ready"};
  }
  if (v.restored)
    return {"restore", "it goes on from its snapshot, and its ssh port does not answer",
            "going on from its snapshot"};
  if (!v.console_spoke)
    return {"kernel", "still booting: the kernel has said nothing yet",
            "booting: the kernel begins"};
  if (v.init_stage.empty())
    return {"kernel", "still booting: the kernel has not reached init", "booting: the kernel"};
  if (!v.has_userland())
    return {"init", "still booting: init is at " + v.init_stage, "booting: init, " + v.init_stage};
  std::string how = v.ssh_detail.empty() ? "" : " (" + v.ssh_detail + ")";
  return {"network", "its ssh port does not answer" + how + ": no network, or still booting",
          "booting: waiting for its network"};
}

std::string not_grown(const BootView& view, bool should_grow) {
  if (!view.growth_fault.empty()) return view.growth_fault;
  if (!should_grow || view.grew || view.restored) return {}; // a boot makes it grow
  return "its disk grew and its file system did not: the bundle's init is older than this banger; "
         "build the bundle again (banger bundle build), then restart the VM";
}

void BootProgress::begin(SteadyTime now, double prepared, bool restored) {
  view_ = {};
  view_.restored = restored;
  phase_start_ = now;
  if (was_ready_) return;
  timings_ = {};
  timings_.prepare = prepared;
}

Error BootProgress::fault(const std::string& console) const {
  return failed("{}{}\nits console ends with:\n{}",
                was_ready_ ? "" : "it did not boot: ", stage_of(view_).text,
                last_lines(escape_for_terminal(console), 8));
}

void BootProgress::take_over(const BootTimings& timings) {
  timings_ = timings;
  was_ready_ = true;
  view_.init_stage = "switch";
}

void BootProgress::see(guest::ConsoleSign sign, const std::string& text, SteadyTime now) {
  if (sign == guest::ConsoleSign::first_byte) mark(&BootTimings::vmm, now);
  if (sign == guest::ConsoleSign::init_stage && text == "start") mark(&BootTimings::kernel, now);
  view_.see(sign, text);
}

void BootProgress::see(const guest::StageReport& report, SteadyTime now) {
  if (report.stage == guest::Stage::banner && view_.ssh < guest::Stage::banner)
    mark(&BootTimings::userland, now);
  view_.ssh = report.stage;
  view_.ssh_detail = report.detail;
}

std::optional<BootStage> BootProgress::news() {
  BootStage stage = stage_of(view_);
  if (was_ready_ || stage.text == told_) return {};
  told_ = stage.text;
  return stage;
}

void BootProgress::become_ready(SteadyTime now) {
  mark(&BootTimings::ready, now);
  was_ready_ = true;
}

// The time since the phase before; a phase is marked once a boot.
void BootProgress::mark(std::optional<double> BootTimings::*phase, SteadyTime now) {
  if (was_ready_ || timings_.*phase) return;
  timings_.*phase = Seconds(now - phase_start_).count();
  phase_start_ = now;
}

} // namespace banger::ops

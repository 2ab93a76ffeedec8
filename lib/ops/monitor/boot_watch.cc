#include "ops/monitor/boot_watch.h"

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
    // The one failure after which a guest is whole.
    if (text.starts_with("grow: "))
      growth_fault = text.substr(6);
    else
      init_fault = text;
    break;
  case ConsoleSign::panic:
    panic = text;
    break;
  case ConsoleSign::restarting:
    restarting = true;
    panic.reset(); // a kernel that panics says no more than that
    break;
  case ConsoleSign::power_down:
    powered_down = true;
    panic.reset();
    break;
  case ConsoleSign::halted:
    halted = true;
    break;
  }
}

BootStage stage_of(const BootView& v) {
  using guest::Stage;
  if (v.panic) return {"kernel", "the kernel panicked: " + *v.panic};
  // The init's own word explains why ssh hears nothing.
  if (v.init_fault && v.ssh <= Stage::closed)
    return {v.init_fault->starts_with("net") ? "network" : "init",
            "init failed at " + *v.init_fault};
  switch (v.ssh) {
  case Stage::connecting:
  case Stage::no_answer:
    break;
  case Stage::closed:
    if (v.init_stage != "switch") break;
    return {"port", "nothing listens on its ssh port"};
  case Stage::banner:
    return {"ssh", "its ssh server answers, and does not get further"};
  case Stage::auth:
    return {"login", "logging in over ssh"};
  case Stage::refused:
    return {"login",
            "its ssh server refuses the key" + (v.ssh_detail.empty() ? "" : ": " + v.ssh_detail)};
  case Stage::mismatch:
    return {"login", "its ssh server has another host key than banger gave it"};
  case Stage::ready:
    return {"ready", "ready"};
  }
  if (!v.console_spoke) return {"kernel", "still booting: the kernel has said nothing yet"};
  if (v.init_stage.empty()) return {"kernel", "still booting: the kernel has not reached init"};
  if (v.init_stage != "switch") return {"init", "still booting: init is at " + v.init_stage};
  return {"network", "its ssh port does not answer: no network, or still booting"};
}

std::string not_grown(const BootView& view, bool should_grow) {
  if (!view.growth_fault.empty()) return view.growth_fault;
  if (!should_grow || view.grew) return {};
  return "its disk grew and its file system did not: the bundle's init is older than this banger; "
         "build the bundle again (banger bundle build), then restart the VM";
}

} // namespace banger::ops

// How far a boot has come, put together from the console and from ssh, and said for people. Pure.
#pragma once

#include <optional>
#include <string>

#include "guest/boot/console.h"
#include "guest/boot/protocol.h"
#include "ops/link/boot_stage.h"

namespace banger::ops {

// Everything known of one boot. The monitor updates it; the functions below only look.
struct BootView {
  bool console_spoke = false;
  std::string init_stage;                // last stage of the bundle's init, empty before it
  std::optional<std::string> init_fault; // "STAGE: why"
  bool grew = false;                     // a file system
  std::string growth_fault;              // why one could not
  std::optional<std::string> panic;      // the kernel's last words
  bool restarting = false, halted = false, powered_down = false;
  guest::Stage ssh = guest::Stage::connecting;
  std::string ssh_detail;

  void see(guest::ConsoleSign sign, const std::string& text);
};

// How far it is.
BootStage stage_of(const BootView& view);

// What a boot owes that should have grown a file system, for people; empty if nothing.
std::string not_grown(const BootView& view, bool should_grow);

} // namespace banger::ops

// The kinds of values that options and keys of the config share. The choices and the bounds stand
// here and in model/vm.h, once.
#pragma once

#include "cli/value.h"
#include "core/log.h"
#include "model/limits.h"
#include "model/vm.h"

namespace banger::cli::kinds {

inline constexpr Number cpus{1, most_cpus};
inline constexpr Number jobs{1, 256};
inline constexpr Size memory{most_memory, least_memory, mebibyte}, disk{most_disk, least_disk};

// The choices of this build; rows of a state may hold more.
inline Choice<NetMode> net_mode() {
  return one_of({NetMode::user, NetMode::bridge, NetMode::isolated});
}
inline Choice<RootWay> root_way() {
  return one_of({RootWay::reflink, RootWay::overlay, RootWay::copy, RootWay::dm_snapshot});
}
inline Choice<VmmKind> vmm() { return one_of({VmmKind::qemu, VmmKind::firecracker}); }
inline Choice<Accel> accel() { return one_of({Accel::kvm, Accel::tcg}); }
inline Choice<VmState> vm_state() {
  using enum VmState;
  return one_of({creating, stopped, starting, running, paused, stopping, failed, removing});
}
inline Choice<Level> log_level() {
  return one_of({Level::debug, Level::info, Level::warn, Level::error, Level::off});
}

} // namespace banger::cli::kinds

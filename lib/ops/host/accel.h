// Whether this host's KVM is usable, and which acceleration a start takes.
//
// Usable means: the bundle's kernel was booted on it once, by the VMM in question, and its console
// spoke before a deadline, since some KVMs open, run, and stay silent for ever. The verdict is
// kept in the state for each VMM, by boot id, kernel, VMM and KVM's modules.
#pragma once

#include <optional>
#include <string>

#include "ops/common/context.h"

namespace banger::ops {

// The files that are booted to see whether KVM works: absolute paths.
struct Probe {
  std::string kernel, initrd;
  VmmKind vmm = VmmKind::qemu;
  std::string binary; // the VMM's
};

// Why /dev/kvm cannot be opened; empty if it can.
std::string kvm_closed_because();

// Why that VMM cannot use KVM, empty if it can; tried where that is not known yet.
std::string kvm_fault(Context& ctx, const Probe& boot);

// `want` (from --accel or the config) is taken as it is, but Error(preflight) for kvm where
// /dev/kvm cannot be opened. Without a wish: KVM where it is usable, else TCG with a notice that
// says why.
Accel choose_accel(Context& ctx, std::optional<Accel> want, const Probe& boot);

// The fault of KVM that the last probes of this boot of the host found: "" if one VMM can use it,
// none if no probe has run yet.
std::optional<std::string> known_kvm_fault(state::State& state);

// The host's time stamp counter in kHz, measured once a boot of the host.
int64_t tsc_khz(Context& ctx);

} // namespace banger::ops

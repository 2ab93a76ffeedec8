// Chooses the VMM that runs a VM, and its acceleration.
#pragma once

#include <optional>
#include <string>

#include "ops/common/context.h"

namespace banger::ops {

// The wishes that a VM's VMM must fulfil. An empty optional is `auto`.
struct VmmWish {
  std::optional<VmmKind> vmm;
  std::optional<Accel> accel;
  NetMode net = NetMode::isolated;
  bool own_net = false; // that network is its VMM's own
  int cpus = 1;
  bool limits_net = false; // there is a limit of its network
};

// Throws Error(conflict) where the VMM that is asked for by name can never run such a VM, or none
// can; `doing` is "cannot create 'demo'".
void require_fit(const std::string& doing, const std::string& vm, const VmmWish& wish);

// A kind's program, of the settings.
const std::string& binary_of(const Settings& settings, VmmKind kind);

struct VmmChoice {
  VmmKind vmm = VmmKind::qemu;
  std::string binary;
  Accel accel = Accel::tcg;
};

// For a start. `auto` is Firecracker where its program is found, it can run such a VM, and it boots
// this kernel on KVM; else QEMU, with one notice for each reason. An emulated VM gets none: the
// emulation has a notice of its own. Throws as require_fit() does, and Error(preflight) where the
// VMM or the acceleration that is asked for cannot be used here.
VmmChoice choose_vmm(Context& ctx, const std::string& vm, const VmmWish& wish,
                     const std::string& kernel, const std::string& initrd);

} // namespace banger::ops

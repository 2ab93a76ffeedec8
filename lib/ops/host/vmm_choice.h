// Which VMM runs a VM, and on which acceleration.
#pragma once

#include <optional>
#include <string>

#include "ops/common/context.h"

namespace banger::ops {

// What is asked of a VM's VMM. An empty optional is `auto`.
struct VmmWish {
  std::optional<VmmKind> vmm;
  std::optional<Accel> accel;
  NetMode net = NetMode::isolated;
  bool own_net = false; // that network is its VMM's own
  int cpus = 1;
};

// Throws Error(conflict) where the VMM that is asked for by name can never run such a VM; `doing`
// is "cannot create 'demo'".
void require_fit(const std::string& doing, const std::string& vm, const VmmWish& wish);

// A kind's program, of the settings.
const std::string& binary_of(const Settings& settings, VmmKind kind);

struct VmmChoice {
  VmmKind vmm = VmmKind::qemu;
  std::string binary;
  Accel accel = Accel::tcg;
};

// For a start. `auto` is Firecracker where its program and a KVM that it boots this kernel on are
// found and it can run such a VM, else QEMU, with a notice, once for each reason; none where the VM
// is emulated, which is told by itself. Throws as require_fit() does, and Error(preflight) where
// the VMM or the acceleration that is asked for cannot be used here.
VmmChoice choose_vmm(Context& ctx, const std::string& vm, const VmmWish& wish,
                     const std::string& kernel, const std::string& initrd);

} // namespace banger::ops

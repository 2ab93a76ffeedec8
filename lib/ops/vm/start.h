// Starts a VM and waits until it is ready: until a command ran in it over ssh.
#pragma once

#include <functional>

#include "disk/snapshot.h"
#include "ops/common/context.h"
#include "ops/vm/hold.h"
#include "ops/vm/reached.h"

namespace banger::ops {

// A guest that goes on from a snapshot, instead of booting.
struct SavedGuest {
  std::string dir; // of the snapshot
  disk::SavedMachine machine;
  // Puts its disks in the place of the VM's, once all that a start needs was found. Returns the row
  // as it is then.
  std::function<Vm(Context& ctx)> take_disks;
};

struct StartOptions {
  std::optional<Millis> timeout; // vm.ready_timeout where not given; longer under emulation
  bool wait = true;              // false: return when the VMM was started
  int interrupt = -1;            // a descriptor: once it is readable start_vm() waits no longer
  std::optional<SavedGuest> saved = {};
  // Called once it is clear that the VM is up, or that its start is tried, so that its companions
  // (the DNS daemon) can be begun. It must not wait; it is called on the thread that starts the VM.
  std::function<void()> on_begin = [] {};
};

// A VM that runs is left as it is; the start of another command is waited for. Throws
// Error(preflight) with all that is missing, Error(timeout) that names the stage reached (the VM is
// left `starting` then and becomes running if it still answers), Error(failed) when the boot failed
// (the VM is `failed`), or when `interrupt` said so (it goes on booting), Error(conflict) for a VM
// that is paused or being stopped.
Reached start_vm(Context& ctx, const std::string& ref, const StartOptions& options);

// The same for a VM that is held, and stopped.
Reached start_held(Context& ctx, HeldVm held, const StartOptions& options);

// The same in the foreground: the monitor is a child in this session, `on_ready` is called when the
// VM answers, TERM, INT and HUP stop the VM, and the call returns when it has ended for good.
Vm run_foreground(Context& ctx, const std::string& ref, const StartOptions& options,
                  const std::function<void(const Vm&)>& on_ready);

} // namespace banger::ops

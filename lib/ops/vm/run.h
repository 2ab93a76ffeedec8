// The operation of `banger vm run`: makes a VM, starts it, and runs a command in it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ops/common/context.h"
#include "ops/vm/start.h"

namespace banger::ops {

struct RunRequest {
  VmSpec spec;
  StartOptions start;
  std::vector<std::string> command; // empty: none
  std::vector<std::string> common;  // options for the program that runs it (run_in_guest)
  bool foreground = false;          // stay until the VM has ended
  // In place of a command: called when the VM is up; gives the status.
  std::function<int(const Vm&)> work = {};
};

// Throws as plan_create, create_vm, start_vm and run_in_guest do. Everything that any of them would
// miss is named before the VM is made. `on_ready` is called when the VM is up. Returns the
// command's status; without a command 0, or in the foreground 1 if the VM has failed.
//
// With spec.remove_when_stopped a VM that did not come up is removed but for its logs
// (ops/release/kept_logs.h). So is a VM whose command is done or could not be run: it is ended
// without asking its guest. INT, TERM and HUP end this process only after that; while the command
// runs they are passed to it. If this process dies of another cause, the monitor ends and removes
// the VM. `work` looks at sys::interruptions() itself. Without a command the VM goes on by itself
// once it is up, or with `no wait` once it was started.
int run_vm(Context& ctx, const RunRequest& request, const std::function<void(const Vm&)>& on_ready);

} // namespace banger::ops

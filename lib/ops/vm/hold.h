// A verb that changes a VM begins here: it takes the VM's op.lock, and makes its row true.
#pragma once

#include <string>
#include <string_view>

#include "ops/common/context.h"
#include "sys/lock.h"

namespace banger::ops {

// Takes op.lock, and waits until it is free. Error(not_found) in the words of hold_vm where the VM
// was removed meanwhile.
sys::FileLock lock_vm(Context& ctx, const Vm& vm, std::string_view doing);

struct HeldVm {
  Vm vm; // the row as it is under the lock
  sys::FileLock lock;
};

// Waits until no other verb works on it. `doing` is for messages: "cannot DOING 'NAME': …".
// Error(not_found) if there is no such VM, or not any more.
HeldVm hold_vm(Context& ctx, const std::string& ref, std::string_view doing);
// The same; Error(conflict) with a hint unless it is stopped or failed.
HeldVm hold_stopped_vm(Context& ctx, const std::string& ref, std::string_view doing);
// Throws that Error(conflict).
void require_stopped(const Vm& vm, std::string_view doing);

} // namespace banger::ops

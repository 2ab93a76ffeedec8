// A session with a VM, for the operations over ssh, and how what fails there is told.
#pragma once

#include <functional>

#include "guest/ssh/session.h"
#include "model/settings.h"
#include "ops/ssh/target.h"

namespace banger::ops {

// It ends with the VM (its VMM's process), whether or not the network tells. A signal on `signals`
// (sys/signals.h; -1: none) throws guest::Interrupted while it is being made.
guest::Session open_session(const SshTarget& target, int signals = -1);

// A descriptor that becomes readable when the VM has ended; none where it has no VMM yet. Throws
// Error(unreachable) for one that has ended.
Fd watch_vm(const SshTarget& target);

// Runs `work`; an Error of it gets the VM as its context and subject, and, where the guest did not
// answer, a hint where to look.
void with_guest(const SshTarget& target, const Dirs& dirs, const std::function<void()>& work);

} // namespace banger::ops

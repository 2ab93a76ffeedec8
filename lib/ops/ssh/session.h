// A session with a VM, for the operations over ssh, and how what fails there is told.
#pragma once

#include <functional>

#include "guest/ssh/session.h"
#include "model/settings.h"
#include "ops/ssh/target.h"

namespace banger::ops {

guest::Session open_session(const SshTarget& target);

// Runs `work`; an Error of it gets the VM as its context and subject, and, where the guest did not
// answer, what to look at.
void with_guest(const SshTarget& target, const Dirs& dirs, const std::function<void()>& work);

} // namespace banger::ops

// How this user has done what needs root's rights: by banger's one program for that (net/helper.h).
#pragma once

#include "model/settings.h"
#include "sys/process.h"

namespace banger::ops {

// Root starts it directly, others through sudo, which must not ask for a password. Throws
// Error(preflight) for a program that another than root could have changed: a rule of sudo for it
// would give that one root's rights.
sys::Command helper_command(const Dirs& dirs);

} // namespace banger::ops

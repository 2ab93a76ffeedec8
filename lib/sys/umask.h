// What of a new file's permissions this process does not give.
#pragma once

#include <sys/types.h>

namespace banger::sys {

// The umask, read without changing it: it belongs to all threads.
mode_t file_mask();

} // namespace banger::sys

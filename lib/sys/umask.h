// The permissions of a new file that this process withholds.
#pragma once

#include <sys/types.h>

namespace banger::sys {

// The umask, read without changing it: it belongs to all threads.
mode_t file_mask();

} // namespace banger::sys

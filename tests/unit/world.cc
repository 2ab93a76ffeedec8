// What is the same for all tests, wherever they run.
#include <sys/stat.h>

namespace {

// Modes of what tests, and programs that they start, make without a word about them.
[[maybe_unused]] const mode_t umask_before = ::umask(022);

} // namespace

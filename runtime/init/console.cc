#include "init/init.h"

#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <termios.h>

#include <unistd.h>

namespace banger::init {

namespace {

int console = -1;

void say(const char* line, int size) {
  // A line that does not fit has been cut; nothing can be done about a console that takes none.
  if (console >= 0 && size > 0) [[maybe_unused]]
    ssize_t n = write(console, line, size);
}

} // namespace

void open_console() { console = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC); }

void say_stage(const char* stage) {
  timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  char line[96];
  say(line, snprintf(line, sizeof line, "banger-init: %s %ld.%03ld\n", stage,
                     static_cast<long>(now.tv_sec), now.tv_nsec / 1'000'000));
}

void say_failure(const char* stage) {
  char line[640];
  say(line, snprintf(line, sizeof line, "banger-init: failed at %s: %s\n", stage, failure()));
}

void drain_console() {
  if (console >= 0) tcdrain(console);
}

} // namespace banger::init

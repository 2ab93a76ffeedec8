// What libexec/banger/banger-guest does for the programs that cannot link libssh2 and libcrypto
// themselves (guest/boot/protocol.h has what is said).
#pragma once

#include <string>

namespace banger::guest {

// Each reads its request, where it has one, as one line from `in`, and writes its replies as lines
// to `out`. Returns the exit status; a failure is a line on `out` as well.
struct GuestService {
  int in = 0, out = 1;

  int keygen(const std::string& keys_dir);
  // Makes host keys as long as it is asked for them, then awaits one guest. Ends as well when
  // nobody reads `out` any more, so that it never outlives who asked.
  int await();
  int run();
  // The time is read once the guest has let it in.
  int clock();
};

} // namespace banger::guest

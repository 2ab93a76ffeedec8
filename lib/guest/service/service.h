// The work of libexec/banger/banger-guest, for programs that cannot link libssh2 and libcrypto
// themselves (the messages: guest/boot/protocol.h).
#pragma once

#include <string>

namespace banger::guest {

// Each call reads its request, where it has one, as one line from `in`, and writes its replies as
// lines to `out`. Returns the exit status; a failure is a line on `out` as well.
struct GuestService {
  int in = 0, out = 1;

  int keygen(const std::string& keys_dir);
  // Makes host keys as long as it is asked for them, then awaits one guest. Ends as well when the
  // other end of `out` is closed, so that it never outlives the program that asked.
  int await();
  int run();
  // Sets the guest's clock. The host's time is read after the login.
  int clock();
};

} // namespace banger::guest

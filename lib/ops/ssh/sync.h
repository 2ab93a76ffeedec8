// A directory here and one in a VM made alike, one way, by rsync over banger's own ssh.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "model/settings.h"
#include "ops/common/context.h"
#include "ops/ssh/copy.h"
#include "sys/process.h"

namespace banger::ops {

struct SyncRequest {
  CopyPlace from, to;               // one of them in a VM
  bool remove = false;              // at the target, what the source has not
  bool watch = false;               // again whenever something changes, until INT, TERM or HUP
  std::vector<std::string> exclude; // rsync's patterns
};

// Throws Error(usage) for a request that cannot be.
void check_sync(const SyncRequest& request);
// Pure: the content of the one becomes the other's, with banger-ssh as transport. Out of a VM come
// no set-id bits, devices, sockets or FIFOs, nor permissions of `mask` (an umask).
sys::Command rsync_command(const SyncRequest& request, const Dirs& dirs, mode_t mask);

// Calls `done` after each time, with the seconds that it took. Throws Error(preflight) where rsync
// is missing, here or in the guest, Error(failed) with what rsync said.
void ssh_sync(Reader& in, const SyncRequest& request,
              const std::function<void(double seconds)>& done);

} // namespace banger::ops

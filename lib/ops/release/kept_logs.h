// The logs of VMs of `run --rm` that did not come up, or crashed, kept when the VM itself has gone:
// only the words of its console and its VMM tell why.
//
// STATE/log/kept/NAME-ID has the end of each, 1 MiB at most. They stay for seven days, and only
// those of the latest 20 VMs: older ones go with the next that is kept, and with every command that
// changes something.
#pragma once

#include <string>

#include "ops/common/context.h"
#include "ops/common/places.h"

namespace banger::ops {

// Moved out of the VM's directory. A failure is logged and stops no removal.
void keep_logs(Context& ctx, const Vm& vm, const Places& places);
// Where the file called `path` while the VM was there is now; empty if it was not kept.
std::string kept_log(const Dirs& dirs, const Vm& vm, const std::string& path);
void prune_kept_logs(Context& ctx);

} // namespace banger::ops

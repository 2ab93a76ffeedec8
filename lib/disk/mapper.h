// The body of libexec/banger/banger-mapper: one act on mapped disks (disk/dm.h), for a process that
// has no libdevmapper.
#pragma once

namespace banger::disk {

// Takes a MapRequest's line from `in`, does it, and answers on `out`; returns the exit status.
int serve_mapper(int in, int out);

} // namespace banger::disk

// Word that somebody changed rules of nftables on this host, and not what: a socket that may be
// given to any process.
#pragma once

#include "core/handle.h"

namespace banger::net {

// Readable after each change by another program than banger-helper, until hear_changes(). It says
// nothing but the number of the change and whose it was, pid and program, which anybody may see in
// /proc, and cannot be made to: a filter that nobody takes off lets nothing else in, and the kernel
// takes no request from who has no rights of his own for one. Opening it takes root's; it does not
// block.
Fd open_rule_changes();
// Makes it quiet.
void hear_changes(int changes);

} // namespace banger::net

// Word that somebody changed rules of nftables on this host, without what or who: a socket that may
// be given to any process.
#pragma once

#include "core/handle.h"

namespace banger::net {

// Readable after each change by another program than banger-helper, until hear_changes(). It says
// nothing but that, and cannot be made to: the kernel cuts each message to a byte, by a filter that
// nobody takes off, and takes no request from who has no rights of his own for one. Opening it
// takes root's; it does not block.
Fd open_rule_changes();
// Makes it quiet.
void hear_changes(int changes);

} // namespace banger::net

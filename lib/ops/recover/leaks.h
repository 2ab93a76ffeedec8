// Leaks: objects that carry this state's tag, or lie in its directories, and have no row.
//
// Ownership is decided by tag and recorded identity, never by resemblance: a process is ours
// because it works in RUNTIME/TAG/ID or holds a lock in STATE/vms/ID, not because it is called
// qemu. An object with a row is no leak, whatever state it is in: reconciling brings it in order.
// Mapped disks, links and processes of the private network are accounted for by the state's table
// of host objects. What the host has of the network `bridge` is looked at by banger's helper, with
// root's rights: links by name, kind and group, tables by name, rules in others' chains by the
// bridge that they name, records of bridges by the state that had them made. An object that another
// command is just making or removing is none either: rows are read after the host was looked at,
// and only one that is there and the same a moment later counts.
//
// Another kind of host object is a row in `kinds` (leaks.cc) with its two functions (leak_kinds.h).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ops/common/context.h"
#include "ops/recover/leak.h"

namespace banger::ops {

// A user sees only his own processes; no others can be his state's. What could not be looked at is
// told to `unseen`, as why, and what would mend that. Where there seem to be leaks, this takes half
// a second.
using OnUnseen = std::function<void(const std::string& what, const std::string& mend)>;
std::vector<Leak> find_leaks(
    Reader& in, const OnUnseen& unseen = [](auto&, auto&) {});

// Removes one. Throws Error(conflict) for a directory that is older than this state: it has the
// disks of VMs whose state file was moved aside, and only their owner can tell what they are worth.
void remove_leak(Reader& in, const Leak& leak);

} // namespace banger::ops

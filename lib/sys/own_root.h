// A root directory in which there is nothing but what a process was given.
#pragma once

#include <string>
#include <vector>

#include "sys/confine.h"

namespace banger::sys {

// Replaces the root directory of this mount namespace, for every process in it that stands in the
// old one. In the new root are the reaches, at the paths that they have on the host: a link on the
// way to one is there too, so that the same name leads to the same file. All is read-only but what
// Use::write, Use::directory and Use::sockets say, nothing that can be written can be executed, and
// of devices there are those that were given. Their paths are absolute; one that is not there is
// passed over.
//
// This process, which has one thread, must be the only one in the namespace, and have all rights
// over it. `scratch` is any directory but the root; nothing is written to it. Afterwards this
// process's working directory is the root. Throws where it cannot be done; then the namespace is of
// no use.
void make_own_root(const std::vector<Reach>& reaches, const std::string& scratch);

} // namespace banger::sys

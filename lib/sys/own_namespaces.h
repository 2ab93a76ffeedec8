// Namespaces that a process does not get: one in a user namespace of its own has all capabilities
// there, and so reaches much of its kernel that a process without rights does not. Nor does it get
// children of its parent (CLONE_PARENT), which that would not know, and have to reap.
#pragma once

namespace banger::sys {

// From now on neither this process nor any that comes of it does that, enters another namespace, or
// calls the kernel as a program of another architecture does. Needs no_new_privs, and cannot be
// taken back. clone3() is not there for them: the C library then takes clone(). False: the kernel
// has no seccomp filters, and nothing is kept from them.
bool forbid_namespaces();

} // namespace banger::sys

// Landlock, the kernel's means by which a process gives up what it may reach, for itself and all
// that it becomes: landlock(7). It needs no rights, and cannot be taken back.
//
// It covers opening, making and removing files, TCP ports, and signals and abstract Unix sockets of
// processes that are not confined by it. A Unix socket that lies in a directory can still be
// connected to by whom its mode lets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace banger::sys {

enum class Use {
  read,      // a file, or a directory with all below it: read and executed
  write,     // a file: read, written and cut
  device,    // a device: read, written, and its own requests
  directory, // all that can be done in it and below it, but for devices
  sockets,   // a directory: sockets and nothing else are made in it, and removed
};

struct Reach {
  std::string path;
  Use use = Use::read;
  bool operator==(const Reach&) const = default;
};

// The version of the kernel's Landlock, of which more is covered by a later one; 0: there is none.
int landlock_version();

// From now on this process, which has one thread, reaches nothing but these, and gets no more
// rights by a program that it executes. A path that is not there is passed over. `tcp`: it may bind
// and connect TCP sockets. Without Landlock only the rights are kept from it.
void confine(const std::vector<Reach>& reaches, bool tcp);

// Whether owner and mode of a file keep this process from that use of it; false where it is not
// there.
bool is_denied(const Reach& reach);

// From now on this process, and all that it becomes, makes no file longer than that: the kernel
// ends one that tries. It holds for each file, not for all together.
void bound_files(int64_t bytes);

} // namespace banger::sys

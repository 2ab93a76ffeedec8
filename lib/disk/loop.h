// Loop devices: files as block devices. For root.
//
// A device that is made here clears itself when the last that has it open closes it. So who holds
// it open knows that it stays what it is; a process that dies leaves none; and none has to be found
// again to be taken away, by a number that may be another's by then. Reads and writes go by the
// host's page cache, which all devices on a file share.
#pragma once

#include <string>
#include <vector>

#include "core/handle.h"

namespace banger::disk {

struct Loop {
  Fd fd; // holds it
  unsigned major = 0, minor = 0;
};

enum class LoopUse {
  read_only, // one for all that ask for it
  alone      // read and written; Error(conflict) where a device of another stands on it
};

// A device on exactly that file, which is open: one that is there already, or a new one. The file's
// device and inode tell which.
Loop open_loop(int file, const std::string& shown, LoopUse use);

// A device that stands on a file and would stay: no other device stands on it, no file system on it
// is mounted (as far as this process sees), and it does not clear itself. None that is made here is
// such a one.
struct LoopSeen {
  std::string node, file; // "/dev/loop3"; the file, by its path when it was opened
  std::string identity;   // the kernel's diskseq: no other device ever has the same
};
// Those on files below `dir`, a real path. Takes no rights.
std::vector<LoopSeen> idle_loops_below(const std::string& dir);
// Takes its file away from it, if it is that device still. For root.
void clear_loop(const std::string& node, const std::string& identity);

// Whether loop devices can be made; the errno if not.
int loop_fault();

} // namespace banger::disk

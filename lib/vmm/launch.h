// How a VMM is started, in the VM's runtime directory, and how it is reached afterwards.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sys/confine.h"
#include "sys/process.h"
#include "vmm/machine.h"

namespace banger::vmm {

// The guest's serial line.
struct SerialLine {
  enum class Kind {
    own_file, // the VMM writes console_file, and reads typed keys from the socket `file`
    stdio     // its standard input and output: its starter makes the FIFO `file`, for typed keys,
              // and opens console_file
  };
  Kind kind = Kind::own_file;
  std::string file; // in the runtime directory
  bool operator==(const SerialLine&) const = default;
};

struct Launch {
  sys::Command command;
  // Sockets that the starter listens on and hands over, the first as descriptor 3, the next as 4…:
  // they can be connected to from the first moment.
  std::vector<std::string> handed;
  // Sockets that the VMM makes itself some time after it was started, in made_dir; the runtime
  // directory has links to them. What an earlier process made there is removed before the start: a
  // socket that is there is the new VMM's.
  std::vector<std::string> made;
  SerialLine serial;
  // The FIFO that it writes its log to, made by its starter; empty: its standard error has it. A
  // VMM that keeps both ends open neither waits for a reader nor dies without one.
  std::string log;
  // Another FIFO that it writes to once it is told so, made likewise; empty: none.
  std::string metrics;
  // What it needs of the host beside its runtime directory: the links there whose targets it opens,
  // and files and devices by their paths.
  std::vector<Disk> links;
  std::vector<sys::Reach> reaches;
  std::string console = {};  // of SerialLine::Kind::stdio, as Machine has it
  int64_t memory = 0;        // of the guest
  bool tcp = false;          // it has TCP sockets of its own
  bool saves_itself = false; // it writes a guest's memory by its name, not to a descriptor
  bool operator==(const Launch&) const = default;
};

struct Started {
  sys::Child child;
  Fd log;                  // both ends of Launch::log: it keeps all lines until it is attached to
  bool is_in_cell = false; // sys/cell.h
  Fd first = {};           // readable once all in the cell has ended; empty: it has, or is in none
};

// How a VMM is started from what has all rights of its user.
struct Inside {
  std::string step;        // the program that becomes the VMM: banger-enter (net/helpers.h)
  int net = -1, user = -1; // descriptors of the namespaces that it runs in; -1: this process's own
  // It reaches nothing but what Launch names: it is in a cell, where the host allows it, and
  // confined by Landlock, where the kernel has it. Then it changes no name in its runtime
  // directory.
  bool confined = false;
  std::string saving = {}; // the directory for a guest's memory
  std::string cell = {};   // the real path of its runtime directory, by which its cell is told
};

// Starts it in `runtime_dir`, in a session of its own, with its output going to `log_fd`. All that
// it has by a name there but the initrd, and a kernel or console without a target, is made anew
// first, whatever an earlier VMM has left under that name. One that is to be in a cell is awaited
// until it is, which takes milliseconds.
Started start(const Launch& launch, const std::string& runtime_dir, int log_fd,
              const std::optional<Inside>& inside = {});

// The command by which start() starts it there. `first_fd` is the first descriptor number that no
// socket has.
sys::Command step_into(const Inside& inside, const Launch& launch, const std::string& runtime_dir,
                       int first_fd);

} // namespace banger::vmm

// What banger asks of a VMM, whichever it is.
//
// A driver is stateless: it plans a command line and opens a Control. A Control is one connection
// to a running VMM; it belongs to the monitor, which alone speaks to it. Its calls return when the
// request is written, not when it took effect; what comes of it arrives as events.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sys/process.h"
#include "vmm/machine.h"

namespace banger::vmm {

enum class VmmEvent {
  guest_reset,    // reboot, panic, or our Ctrl-Alt-Del: the console tells which
  guest_shutdown, // the guest powered itself off
  host_quit       // the VMM was told to end, by us or by a signal
};

class Control {
public:
  virtual ~Control() = default;
  // For a poll loop: readable when events wait; -1 once the VMM has closed it.
  virtual int fd() const = 0;
  virtual std::vector<VmmEvent> read_events() = 0;
  // "7.2.22"; empty until the VMM has introduced itself.
  virtual std::string version() const = 0;
  // Ctrl-Alt-Del, the one knock that every guest's init hears. Throws Error(unreachable) when the
  // VMM is gone.
  virtual void ask_to_stop() = 0;
  // Whether every processor waits and hears no interrupt: such a guest never goes on. Waits for the
  // VMM's answer. Throws Error(unreachable) when it is gone.
  virtual bool is_halted() = 0;
  // A port of the VMM's own user-mode network (UserNet), added or removed now; waits for the VMM's
  // answer. Throws Error(conflict) when it refuses, Error(unreachable) when it is gone.
  virtual void add_forward(const Port& port, const std::string& guest) = 0;
  virtual void remove_forward(const Port& port) = 0;
};

// How a VMM is started, in the VM's runtime directory.
struct Launch {
  sys::Command command;
  // Sockets that its starter listens on and hands over, the first as descriptor 3, the next as 4…:
  // they can be connected to from the first moment, so nobody waits for them to appear.
  std::vector<std::string> listeners;
  bool operator==(const Launch&) const = default;
};

class Driver {
public:
  virtual ~Driver() = default;
  virtual Launch launch(const Machine& machine) const = 0;
  // A connection to the VMM that runs in `runtime_dir`; null where it does not listen.
  virtual std::unique_ptr<Control> connect(const std::string& runtime_dir) const = 0;
};

// The network namespace that a VMM runs in, and the program that enters it and becomes the VMM.
struct Inside {
  std::string step;        // banger-enter: --net FD [--user FD] -- COMMAND
  int net = -1, user = -1; // descriptors of the namespaces; user -1: this process's own
};

// Starts it in `runtime_dir`, in a session of its own, with what it says going to `log_fd`.
sys::Child start(const Launch& launch, const std::string& runtime_dir, int log_fd,
                 const std::optional<Inside>& inside = {});

// The command that starts it there: what `start` runs. `first_fd` is the first number that no
// listener has.
sys::Command step_into(const Inside& inside, sys::Command command, int first_fd);

std::unique_ptr<Driver> make_qemu(std::string binary);

// Of what QEMU's `info registers -a` prints of each processor ("RFL=00000002 … HLT=1"). Pure.
bool all_halted(std::string_view registers);

} // namespace banger::vmm

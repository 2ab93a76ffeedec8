// What banger asks of a VMM, whichever it is.
//
// A driver is stateless: it plans a command line and opens a Control. A Control is one connection
// to a running VMM; it belongs to the monitor, which alone speaks to it. Its calls return when the
// request is written, not when it took effect; what comes of it arrives as events.
#pragma once

#include <memory>
#include <string>
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

// Starts it in `runtime_dir`, in a session of its own, with what it says going to `log_fd`.
sys::Child start(const Launch& launch, const std::string& runtime_dir, int log_fd);

std::unique_ptr<Driver> make_qemu(std::string binary);

} // namespace banger::vmm

// A VM's VMM, started or taken over by this monitor; callers follow, ask and end both alike. There
// is at most one at a time. A guest's reboot is the end of one VMM and the start of
// another.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/handle.h"
#include "core/log.h"
#include "model/vm.h"
#include "sys/loop.h"
#include "sys/process.h"
#include "vmm/driver.h"

namespace banger::ops {

class Vmm {
public:
  // The end of a VMM. `status`: none for a VMM that was taken over.
  struct Exit {
    std::optional<sys::ExitStatus> status;
    std::vector<vmm::VmmEvent> events;
    bool booted = false; // its guest was set going
  };

  struct Told {
    // Called from the loop, when the VMM has ended by itself or by a signal(), and with it all that
    // was in its cell.
    std::function<void(const Exit&)> exit;
    // As vmm::Told has them.
    std::function<void(std::optional<vmm::Pause>)> pause;
    std::function<void(const std::string&)> disk_fault;
    std::function<void(const std::string&)> said;
  };

  Vmm(sys::Loop& loop, const vmm::Driver& driver, Told told);
  ~Vmm();
  Vmm(const Vmm&) = delete;
  Vmm& operator=(const Vmm&) = delete;

  // Starts a VMM in `runtime_dir`; its output goes to `log`. boot() then sets its guest going.
  void start(const vmm::Machine& machine, const std::string& runtime_dir, int log,
             const std::optional<vmm::Inside>& inside);
  void boot(const vmm::Machine& machine, vmm::Done done);
  // Takes over a VMM that runs; false where it is gone.
  bool adopt(const ProcessId& id, const std::string& runtime_dir);

  // Whether a process is none of the VMM's: a guest that has taken over its VMM does not command
  // its VM. False where that cannot be told.
  bool is_told_apart(int pid) const;
  explicit operator bool() const { return static_cast<bool>(running_); }
  // It has ended, and what else is in its cell is awaited: then Told::exit is called.
  bool is_ending() const { return running_ && has_ended_; }
  bool is_in_cell() const { return is_in_cell_; } // of one that was started
  const ProcessId& id() const { return id_; } // empty where the VMM was gone before the first look
  // While there is one.
  vmm::Running& running() { return *running_; }
  vmm::Abilities can() const { return driver_.abilities(); }
  void signal(int signal);
  // Kills it and waits, in the loop, until it is gone; at once where there is none.
  void end(vmm::Done done);
  // Looks for a while whether its guest is really halted, as its console says: anything may print a
  // kernel's last line, and a VMM that runs a halted guest would idle for ever.
  void find_out_whether_halted(std::function<void(bool)> done);

private:
  void follow(const std::string& runtime_dir);
  void look(Millis pause, std::function<void(bool)> done);
  void on_end();
  void on_cell_end();
  int pidfd() const { return child_ ? child_->pidfd() : adopted_.get(); }

  sys::Loop& loop_;
  const vmm::Driver& driver_;
  Told told_;
  ProcessId id_;
  std::optional<sys::Child> child_;
  std::optional<sys::ExitStatus> status_; // of a child that has ended
  Fd adopted_;
  Fd first_;          // of a cell that has not ended yet
  uint64_t cell_ = 0; // of this VMM, or the last one
  std::unique_ptr<vmm::Running> running_;
  std::vector<vmm::VmmEvent> events_;
  bool booted_ = false, is_in_cell_ = false, has_ended_ = false;
  vmm::Done on_killed_;
  sys::Loop::Timer look_ = 0, deadline_ = 0, last_ = 0;
};

} // namespace banger::ops

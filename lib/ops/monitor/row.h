// The VM's row and its events, as its monitor writes them. What was read or written last is vm().
//
// A call is one transaction. It throws where that cannot be made, a full disk for one; then nothing
// was written, and vm() is what it was.
#pragma once

#include <optional>
#include <string>

#include "core/error.h"
#include "model/vm.h"
#include "ops/common/context.h"
#include "ops/link/link.h"

namespace banger::ops {

// How a run of a VM ended.
struct Outcome {
  VmState state = VmState::stopped;
  std::string reason;
  std::optional<Error> fault;
};

class Row {
public:
  explicit Row(Context& ctx) : ctx_(ctx) {}

  const Vm& vm() const { return vm_; }
  void read(const std::string& id);
  // This process is the VM's monitor from now on. Error(conflict) where nobody waits for one: who
  // asked for it may have died, and another have brought the row in order since.
  void claim(const MonitorRequest& request, const std::string& runtime_dir);
  // Its VMM was started.
  void started(const MonitorRequest& request, const ProcessId& vmm, const std::string& api_socket,
               const BootTimings& timings);
  // A command was done in it over ssh. `still`: why it stands still all the same; `small`: what is
  // wrong with its file systems.
  void ready(const std::string& still, const BootTimings& timings, const std::string& vmm_version,
             const std::string& small);
  // It stands still, or goes on where `reason` is empty.
  void stands(VmState state, const std::string& reason);
  void stopping();
  // There is nothing of its run any more. With --rm it is being removed from then on, by nobody
  // yet: who takes that up, or else the next command, finishes it.
  void ended(const Outcome& outcome, const BootTimings& timings);
  // An event; one that cannot be recorded is a line of the log.
  void note(const std::string& type, const Json& detail = Json::object());

private:
  Outlives outlives() const;

  Context& ctx_;
  Vm vm_;
};

} // namespace banger::ops

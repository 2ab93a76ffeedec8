// The VM's row and its events, as its monitor writes them. vm() is the row as it was read or
// written last; ended() does not change it.
//
// A call is one transaction. It throws where that fails (a full disk), and then changes nothing.
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
  // This process is the VM's monitor from now on. Error(conflict) where the row waits for none: the
  // verb that started it may have died, and another have brought the row in order since.
  void claim(const MonitorRequest& request, const std::string& runtime_dir);
  // Its VMM was started.
  void started(const MonitorRequest& request, const ProcessId& vmm, const std::string& api_socket,
               const std::string& confinement, const BootTimings& timings);
  // The guest goes on from the snapshot in that directory: what the VM was before is given up.
  // Lasting, unlike other changes: once that can be, the guest's writes must not be taken back.
  void restored(const std::string& snapshot_dir);
  // A command was done in the guest over ssh. `still`: why the guest stands still all the same;
  // `small`: the fault of a file system that did not grow.
  void ready(const std::string& still, const BootTimings& timings, const std::string& vmm_version,
             const std::string& small);
  // It stands still, or goes on where `reason` is empty.
  void stands(VmState state, const std::string& reason);
  // What it may move is limited so from now on.
  void limited(const RateLimits& limits);
  void stopping();
  // Its run is over, and given back. With --rm the row is `removing` from then on: the helper that
  // the monitor starts finishes that, or else the next command.
  void ended(const Outcome& outcome, const BootTimings& timings);
  // Records an event; where that fails, it is a line of the log.
  void note(const std::string& type);
  void note(const std::string& type, const Json& detail);

private:
  Outlives outlives() const;

  Context& ctx_;
  Vm vm_;
};

} // namespace banger::ops

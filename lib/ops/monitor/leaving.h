// The end of a VM's run, step by step on the loop: its VMM is ended, its root disk unmapped, its
// network left, its files and the run in its row go; with --rm, the VM itself. Things that a VMM
// uses are only taken away once it has ended.
//
// A network that other VMs keep busy does not hold up a kill, nor does a disk that others have
// open: they stay in the record, and the next command that changes anything gives them back
// (NetPlace::tidy, tidy_mappings).
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "ops/common/context.h"
#include "ops/common/places.h"
#include "ops/monitor/helper.h"
#include "ops/monitor/network.h"
#include "ops/monitor/row.h"
#include "ops/monitor/vmm.h"
#include "sys/loop.h"

namespace banger::ops {

class Leaving {
public:
  // The parts of the VM's run; they must live as long as this.
  struct Run {
    Vmm& vmm;
    std::optional<Network>& network;
    Row& row;
    const Places& places;
    const Outcome& outcome;
    const BootTimings& timings;
    int errors; // where helpers' complaints go
  };
  // Called once, from the loop or at once. With an error the rest stays for the next command, which
  // sees by the row that the VM has no monitor.
  using Done = std::function<void(std::optional<Error> left)>;

  Leaving(Context& ctx, sys::Loop& loop, Run run, bool in_haste, Done done);
  Leaving(const Leaving&) = delete;
  Leaving& operator=(const Leaving&) = delete;

  // The VM is killed: the step that is under way has little time left.
  void hurry();

private:
  void unmap();
  void leave_network();
  void on_left_network(std::optional<Error> fault);
  void remove();
  void finish(std::optional<Error> left);
  Millis time_left() const;

  Context& ctx_;
  sys::Loop& loop_;
  Run run_;
  std::optional<Deadline> haste_;
  Done done_;
  enum class Step { vmm, mapping, network, removal } step_ = Step::vmm;
  std::unique_ptr<Helper> unmapper_, remover_;
};

} // namespace banger::ops

// The use that VMs make of the host, from /proc, and what their guests tell of their memory.
// Changes nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "model/settings.h"
#include "model/vm.h"
#include "model/wire.h"
#include "ops/query/select.h"
#include "state/state.h"
#include "sys/usage.h"
#include "vmm/driver.h"

namespace banger::ops {

struct NetBytes {
  int64_t received = 0, sent = 0; // by the guest
};

// One VM at one moment. Bytes and seconds; a part is absent where nothing can be told: all but the
// disks for a VM that does not run, the guest's or VMM's word where it is not given, the network
// where it has no interface of its own on the host, the cgroup where it shares one with others.
struct VmStats {
  Vm vm;
  WallTime time;
  std::optional<sys::Usage> usage;   // of its VMM
  std::optional<double> cpu_percent; // since the sample before; 100 is one cpu of the host
  DiskUse disk;
  std::optional<NetBytes> net;
  std::optional<vmm::GuestMemory> guest;
  std::optional<vmm::Counters> counters; // its VMM's own
  std::optional<sys::Cgroup> cgroup;
};

// Takes samples, and knows the one before.
class Sampler {
public:
  Sampler(Reader& in, VmQuery query) : in_(in), query_(std::move(query)) {}
  // Of all VMs that the query selects, by name or in its order. A ref of no VM goes to `unknown`.
  std::vector<VmStats> sample(std::vector<std::string>& unknown);
  // The first of two: without the word of guests and VMMs, which has no use of a moment before.
  std::vector<VmStats> sample_host(std::vector<std::string>& unknown);

private:
  struct Before {
    int64_t cpu_ns;
    SteadyTime at;
    ProcessId process;
  };
  Reader& in_;
  VmQuery query_;
  std::map<std::string, Before> before_; // by id
};

Json to_json(const VmStats& stats);

// Waits for `time`, or until `reader` (a pipe or socket; -1: none) has no reader any more; then it
// is false.
bool pause_unless_unread(Millis time, int reader);

} // namespace banger::ops

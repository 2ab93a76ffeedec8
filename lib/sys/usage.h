// The resources that a process uses, as /proc and its cgroup tell.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/vm.h"

namespace banger::sys {

struct Usage {
  int64_t cpu_ns = 0;         // user and system time of all its threads
  int64_t rss = 0;            // bytes in memory
  std::optional<int64_t> pss; // the same with what is shared divided; none where it may not be read
  std::optional<int64_t> read, written; // bytes from and to disks, likewise
};
// Of exactly that process; none if it is gone.
std::optional<Usage> find_usage(const ProcessId& id);

struct InterfaceBytes {
  int64_t received = 0, sent = 0; // by the interface
};
// Of an interface in the network namespace of that process; none if there is no such interface.
std::optional<InterfaceBytes> find_interface_bytes(int pid, const std::string& interface);

struct Cgroup {
  std::string path; // below /sys/fs/cgroup
  std::vector<int> members;
  std::optional<int64_t> cpu_ns, memory; // what its controllers count
};
// The cgroup (version 2) of a process; none where there is none or it may not be read.
std::optional<Cgroup> find_cgroup(int pid);

} // namespace banger::sys

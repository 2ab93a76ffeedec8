// What a VMM has counted of its guest since it was started. Plain values, and pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace banger::vmm {

// Bytes and requests of the guest, and how many of them failed.
struct DiskCounters {
  std::string name; // its file in the runtime directory
  int64_t read = 0, written = 0, reads = 0, writes = 0, flushes = 0, errors = 0;
  bool operator==(const DiskCounters&) const = default;
};

struct NetCounters {
  int64_t received = 0, sent = 0, errors = 0; // by the guest
  bool operator==(const NetCounters&) const = default;
};

struct Counters {
  std::vector<DiskCounters> disks;
  std::optional<NetCounters> net;
  std::optional<int64_t> exits; // how often a processor has left its guest for the VMM
  bool operator==(const Counters&) const = default;
};

// A line of Firecracker's metrics, which has what was counted since the line before: adds it. A
// line that is none of them changes nothing, and is false. The line is never held as a whole tree:
// a monitor is to stay small.
bool add_metrics(std::string_view line, Counters& counters);

// QEMU's answer to query-blockstats. What it does not tell is 0.
Counters parse_block_stats(const nlohmann::ordered_json& answer);

} // namespace banger::vmm

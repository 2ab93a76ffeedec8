// Time: a wall clock for records, a steady one for durations.
//
// Wall times are nanoseconds since the epoch, UTC; on the wire RFC 3339 with milliseconds and 'Z'.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace banger {

using SteadyTime = std::chrono::steady_clock::time_point;

// A point of wall time; 0 means "never".
struct WallTime {
  int64_t ns = 0;
  bool operator==(const WallTime&) const = default;
  auto operator<=>(const WallTime&) const = default;
};

WallTime wall_now();
SteadyTime steady_now();

// "2026-01-31T12:00:00.123Z".
std::string to_rfc3339(WallTime t);

} // namespace banger

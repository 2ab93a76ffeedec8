// Time: a wall clock for records, a steady one for durations.
//
// Wall times are nanoseconds since the epoch, UTC; on the wire RFC 3339 with milliseconds and 'Z'.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
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

// A moment by which something must have happened; without a timeout it never comes.
class Deadline {
public:
  explicit Deadline(std::optional<std::chrono::milliseconds> timeout)
      : at_(timeout ? steady_now() + *timeout : SteadyTime::max()) {}
  bool is_set() const { return at_ != SteadyTime::max(); }
  bool has_passed() const { return is_set() && steady_now() >= at_; }
  // For poll(2): milliseconds left, rounded up, 0 when it has passed, -1 when it never comes.
  int poll_ms() const;

private:
  SteadyTime at_;
};

// "2026-01-31T12:00:00.123Z".
std::string to_rfc3339(WallTime t);

} // namespace banger

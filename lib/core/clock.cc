#include "core/clock.h"

#include <algorithm>
#include <ctime>

#include <fmt/format.h>

namespace banger {

WallTime wall_now() {
  timespec ts{};
  clock_gettime(CLOCK_REALTIME, &ts);
  return {int64_t{ts.tv_sec} * 1'000'000'000 + ts.tv_nsec};
}

SteadyTime steady_now() { return std::chrono::steady_clock::now(); }

int Deadline::poll_ms() const {
  if (!is_set()) return -1;
  auto left = std::chrono::ceil<std::chrono::milliseconds>(at_ - steady_now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30));
}

std::string to_rfc3339(WallTime t) {
  time_t seconds = t.ns / 1'000'000'000;
  tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     t.ns % 1'000'000'000 / 1'000'000);
}

} // namespace banger

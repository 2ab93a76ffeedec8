#include "core/clock.h"

#include <algorithm>
#include <chrono>
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
  // Not gmtime_r: it opens and reads the file of the time zone.
  using namespace std::chrono;
  sys_time<nanoseconds> at{nanoseconds{t.ns}};
  auto day = floor<days>(at);
  year_month_day date{day};
  hh_mm_ss time{floor<milliseconds>(at - day)};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(),
                     time.subseconds().count());
}

} // namespace banger

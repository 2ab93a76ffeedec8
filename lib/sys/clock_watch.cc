#include "sys/clock_watch.h"

#include <cerrno>
#include <cstdint>
#include <ctime>

#include <sys/timerfd.h>
#include <unistd.h>

#include "core/error.h"

namespace banger::sys {

namespace {

// It is not meant to come. The kernel takes no time after 2262.
constexpr time_t far_away = time_t{10} * 365 * 86400;

} // namespace

ClockWatch::ClockWatch() : timer_(::timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK)) {
  if (!timer_) throw Error::from_errno(errno, "cannot watch the clock");
  arm();
}

void ClockWatch::clear() {
  uint64_t times = 0;
  // ECANCELED is what a jump gives; the timer stays set, and tells of the next.
  if (::read(timer_.get(), &times, sizeof times) > 0) arm();
}

void ClockWatch::arm() {
  itimerspec when{};
  when.it_value.tv_sec = ::time(nullptr) + far_away;
  if (::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, nullptr))
    throw Error::from_errno(errno, "cannot watch the clock");
}

} // namespace banger::sys

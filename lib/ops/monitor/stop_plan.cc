#include "ops/monitor/stop_plan.h"

#include <algorithm>
#include <array>

namespace banger::ops {

namespace {

constexpr Millis term_timeout{3000}, least_for_ssh{1000};
constexpr std::array<std::string_view, 6> names{"none", "room", "keys", "ssh", "term", "kill"};

// The part of `time` that goes to poweroff over ssh, which needs a second to be of use.
Millis time_for_ssh(const StopFacts& facts) {
  if (!facts.is_exact) return std::max(facts.timeout / 2, least_for_ssh);
  return facts.timeout / 4 >= least_for_ssh ? facts.timeout / 4 : Millis(0);
}

// Of Ctrl-Alt-Del, which has `time` with what comes after it.
Millis time_for_keys(const StopFacts& facts, Millis time) {
  if (!facts.is_exact) return facts.timeout;
  return facts.was_ready ? time - time_for_ssh(facts) : time;
}

} // namespace

std::string_view name_of(Knock knock) { return names[static_cast<size_t>(knock)]; }

StopStep next_step(Knock last, const StopFacts& facts) {
  switch (last) {
  case Knock::none:
    if (facts.is_still) return {Knock::room, facts.timeout / 2};
    return {Knock::keys, time_for_keys(facts, facts.timeout)};
  case Knock::room:
    if (facts.is_still) break;
    return {Knock::keys, time_for_keys(facts, facts.timeout / 2)};
  case Knock::keys:
    if (facts.was_ready && !facts.is_still && time_for_ssh(facts) > Millis(0))
      return {Knock::ssh, time_for_ssh(facts)};
    break;
  case Knock::ssh:
    break;
  case Knock::term:
  case Knock::kill:
    return {Knock::kill, {}};
  }
  return {Knock::term, term_timeout};
}

} // namespace banger::ops

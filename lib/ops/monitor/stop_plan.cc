#include "ops/monitor/stop_plan.h"

#include <algorithm>
#include <array>

namespace banger::ops {

namespace {

constexpr Millis term_timeout{3000}, least_for_ssh{1000};
constexpr std::array<std::string_view, 6> names{"none", "room", "keys", "ssh", "term", "kill"};

} // namespace

std::string_view name_of(Knock knock) { return names[static_cast<size_t>(knock)]; }

StopStep next_step(Knock last, const StopFacts& facts) {
  switch (last) {
  case Knock::none:
    if (facts.is_still) return {Knock::room, facts.timeout / 2};
    return {Knock::keys, facts.timeout};
  case Knock::room:
    if (facts.is_still) break;
    return {Knock::keys, facts.timeout};
  case Knock::keys:
    if (facts.was_ready && !facts.is_still)
      return {Knock::ssh, std::max(facts.timeout / 2, least_for_ssh)};
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

#include "ops/common/zone.h"

#include "model/settings.h"

namespace banger::ops {

namespace {

constexpr const char* key = "dns.zone";

} // namespace

std::string zone_of(state::State& state) {
  return state.fact(key).value_or(Settings{}.dns_zone); // none was ever set
}

void set_zone(state::State& state, const std::string& zone) { state.set_fact(key, zone); }

} // namespace banger::ops

#include "core/error.h"
#include "helper/client.h"
#include "net/plan.h"
#include "ops/common/rights.h"
#include "ops/host/checks.h"
#include "ops/host/helper_support.h"

namespace banger::ops {

namespace {

constexpr const char* no_state = "0000"; // to look at its bridge says whether the helper works

std::string tag_of(const Host& host) {
  try {
    std::string tag = state::State::open(host.dirs, state::Mode::read).tag();
    return tag.empty() ? no_state : tag;
  } catch (const Error&) { // the check of the state tells of that
    return no_state;
  }
}

Check bridge_check(const Host& host, const std::string& tag) {
  helper::Client::Seen seen;
  try {
    seen = helper::Client(helper_command(host.dirs)).look(tag);
  } catch (const Error& e) {
    return {"bridge", Verdict::warn, e.message(), how_to_use_helper(host.dirs, e)};
  }
  // Taps are told by `banger net status`, which knows whether their VMs should run.
  for (const net::BridgeFault& fault : seen.faults)
    if (fault.tap == 0) return {"bridge", Verdict::warn, fault.text, net::mend_of(fault)};
  return {"bridge", Verdict::ok, "banger net up can make a bridge that the host reaches", {}};
}

} // namespace

Check check_bridge(const Host& host) { return bridge_check(host, no_state); }

Check check_own_bridge(const Host& host) { return bridge_check(host, tag_of(host)); }

} // namespace banger::ops

#include "core/error.h"
#include "helper/client.h"
#include "ops/common/rights.h"
#include "ops/host/checks.h"
#include "ops/host/helper_support.h"

namespace banger::ops {

namespace {

constexpr const char* no_state = "0000"; // to look at its bridge says whether the helper works

} // namespace

Check check_bridge(const Host& host) {
  try {
    helper::Client(helper_command(host.dirs)).look(no_state);
  } catch (const Error& e) {
    return {"bridge", Verdict::warn, e.message(), how_to_use_helper(host.dirs, e)};
  }
  return {"bridge", Verdict::ok, "banger net up can make a bridge that the host reaches", {}};
}

} // namespace banger::ops

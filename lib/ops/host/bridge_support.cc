#include "ops/host/bridge_support.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "net/plan.h"
#include "ops/common/rights.h"
#include "ops/host/checks.h"
#include "ops/host/helper_support.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

constexpr const char* no_state = "0000"; // to look at its bridge says whether the helper works

Check bridge_check(const Host& host, state::State* state) {
  const std::string tag = state && !state->tag().empty() ? state->tag() : no_state;
  helper::Client::Seen seen;
  try {
    seen = helper::Client(helper_command(host.dirs)).look(tag);
  } catch (const Error& e) {
    return {"bridge", Verdict::warn, e.message(), how_to_use_helper(host.dirs, e)};
  }
  if (state)
    if (auto lost = lost_guests(*state, seen)) seen.faults.push_back(*lost);
  // Taps are told by `banger net status`, which knows whether their VMs should run.
  for (const net::BridgeFault& fault : seen.faults)
    if (fault.tap == 0) return {"bridge", Verdict::warn, fault.text, net::mend_of(fault)};
  return {"bridge", Verdict::ok, "banger net up can make a bridge that the host reaches", {}};
}

} // namespace

std::optional<net::BridgeFault> lost_guests(state::State& state, const helper::Client::Seen& seen) {
  auto record = state.net_place(std::string(name_of(NetMode::bridge)));
  if (!record) return {};
  std::vector<std::string> names;
  for (const HostObject& o : record->objects) {
    auto tap = o.kind == ObjectKind::tap ? net::tap_number(state.tag(), o.name) : std::nullopt;
    if (!tap || std::ranges::count(seen.taps, *tap) > 0) continue;
    auto vm = state.find_vm_by_id(o.vm);
    bool runs = vm && (vm->state == VmState::running || vm->state == VmState::paused);
    if (runs && sys::is_alive(vm->vmm_process())) names.push_back(vm->name);
  }
  if (names.empty()) return {};
  std::ranges::sort(names); // they come by their ids
  return net::BridgeFault{fmt::format("the bridge '{}' has lost its record of {}",
                                      net::bridge_name(state.tag()), join(names, ", "))};
}

Check check_bridge(const Host& host) { return bridge_check(host, nullptr); }

Check check_own_bridge(const Host& host) {
  std::optional<state::State> state;
  try {
    state.emplace(state::State::open(host.dirs, state::Mode::read));
  } catch (const Error&) { // the check of the state tells of that
  }
  return bridge_check(host, state ? &*state : nullptr);
}

} // namespace banger::ops

#include "ops/host/bridge_support.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/text.h"
#include "net/plan.h"
#include "ops/common/other_subnet.h"
#include "ops/common/rights.h"
#include "ops/host/checks.h"
#include "ops/host/helper_support.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

constexpr const char* no_state = "0000"; // to look at its bridge says whether the helper works

constexpr size_t most_told = 4; // in one line

// Calls `f` with each VM of the bridge that the state has, and its tap.
template <typename F>
void each_guest(state::State& state, F&& f) {
  auto record = state.net_place(std::string(name_of(NetMode::bridge)));
  if (!record) return;
  for (const HostObject& o : record->objects) {
    auto tap = o.kind == ObjectKind::tap ? net::tap_number(state.tag(), o.name) : std::nullopt;
    if (!tap) continue;
    if (auto vm = state.find_vm_by_id(o.vm)) f(*vm, *tap);
  }
}

// The VMs that run, by tap.
std::map<int, std::string> running_guests(state::State& state) {
  std::map<int, std::string> names;
  each_guest(state, [&](const Vm& vm, int tap) {
    if (vm.state == VmState::running) names[tap] = vm.name;
  });
  return names;
}

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
  std::vector<std::string> found, mends;
  std::map<int, std::string> running;
  if (state && !seen.faults.empty()) running = running_guests(*state);
  for (const net::BridgeFault& fault : seen.faults) {
    auto vm = running.find(fault.tap);
    // Of one that just starts or ends it says nothing.
    if (fault.tap != 0 && vm == running.end()) continue;
    auto [text, mend] = told(fault, fault.tap != 0 ? vm->second : "", state);
    found.push_back(text);
    if (std::ranges::count(mends, mend) == 0) mends.push_back(mend);
  }
  if (size_t all = found.size(); all > most_told) {
    found.resize(most_told);
    found.push_back(fmt::format("and {} more: banger net status", all - most_told));
  }
  if (!found.empty()) return {"bridge", Verdict::warn, join(found, "; "), join(mends, "; ")};
  return {"bridge", Verdict::ok, "banger net up can make a bridge that the host reaches", {}};
}

} // namespace

ToldFault told(const net::BridgeFault& fault, const std::string& vm, state::State* state) {
  if (fault.clashes && state) return {fault.text, way_to_other_subnet(*state, true)};
  if (vm.empty()) return {fault.text, net::mend_of(fault)};
  return {fmt::format("{}: {}", vm, fault.text),
          fault.restarts ? fmt::format("banger vm restart {}", vm) : net::mend_of(fault)};
}

std::optional<net::BridgeFault> lost_guests(state::State& state, const helper::Client::Seen& seen) {
  std::vector<std::string> names;
  each_guest(state, [&](const Vm& vm, int tap) {
    if (std::ranges::count(seen.taps, tap) > 0) return;
    bool runs = vm.state == VmState::running || vm.state == VmState::paused;
    if (runs && sys::is_alive(vm.vmm_process())) names.push_back(vm.name);
  });
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

#include "ops/dns/names.h"

#include <algorithm>

#include "core/error.h"
#include "ops/common/places.h"
#include "ops/common/zone.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

// A state is locked for moments: while the last of its users closes it, or the first brings it back
// after a crash. Whoever asks waits for that, as a disk may be slow. A state that was locked for
// longer is kept by a program that does not get on, and from then on nobody waits for it.
constexpr Millis patience{400}, patience_with_kept{50}, between_tries{100};

} // namespace

NamedVms named_vms(const Dirs& dirs, state::State& state, std::optional<NetMode> network) {
  NamedVms named;
  for (const Vm& vm : state.busy_vms()) {
    if (!is_live(vm.state)) continue;
    bool runs = sys::FileLock::is_held(places_of(dirs, state.tag(), vm).run_lock);
    for (const ProcessId& id : {vm.monitor_process(), vm.vmm_process()}) {
      if (!id || !sys::is_alive(id)) continue;
      named.processes.push_back(id);
      runs = runs || id == vm.vmm_process();
    }
    if (!runs) continue;
    named.hosts.push_back({vm.name, parse_address("address", vm.reach)});
    if (vm.net_mode == network)
      named.guests.push_back({vm.name, parse_address("address", vm.address)});
  }
  return named;
}

Names::Names(const Settings& settings, const Dirs& dirs, Log& log, std::optional<Network> network)
    : settings_(settings), dirs_(dirs), log_(log), network_(network) {}

const dns::Answers* Names::now() {
  if (again_ && steady_now() < *again_) return nullptr;
  try {
    look();
    if (again_) {
      log_.info("dns.state_is_read_again");
      state_->set_patience(patience);
    }
    again_.reset();
    return &*answers_;
  } catch (const Error& e) {
    if (!again_) log_.error("dns.no_state", e);
    again_ = steady_now() + between_tries;
    state_.reset();
    return nullptr;
  }
}

const dns::Answers* Names::unsure() {
  if (!unsure_ && facts_.network) {
    dns::GuestNetwork network = *facts_.network;
    network.is_known = false;
    unsure_.emplace(dns::Zone(facts_.zone, settings_.dns_ttl, serial_, {}, network));
  }
  return unsure_ ? &*unsure_ : nullptr;
}

void Names::on_death() {
  version_.reset();
  if (!now()) deaths_.follow({}); // the next reading follows the processes anew
}

void Names::look() {
  // A state may be made, removed, or put back from a copy while this runs: the open file is then
  // not the state's any more.
  auto file = sys::find_identity(dirs_.db());
  // Its VMs may run on: that all of their state was moved away does not say that they have ended.
  if (!file && file_ && !sys::exists(dirs_.state))
    throw failed("the state '{}' is not there any more", dirs_.state);
  if (!state_ || state_->is_absent() || file != file_) {
    state_.reset();
    state_.emplace(
        state::State::open(dirs_, state::Mode::read, again_ ? patience_with_kept : patience));
    file_ = file;
    version_.reset();
  }
  int64_t version = state_->data_version();
  if (answers_ && version_ == version) return;
  compute();
  version_ = version;
}

// Any VM that has an address there may ask, running or not as its row says: it does ask.
Names::Facts Names::facts_of(const NamedVms& named) {
  if (!network_) return {settings_.dns_zone, named.hosts, {}};
  dns::GuestNetwork network{network_->subnet, {}};
  for (const auto& lease : state_->leases(network_->mode))
    network.guests.push_back({lease.vm, parse_address("address", lease.address)});
  return {zone_of(*state_), named.guests, std::move(network)};
}

void Names::compute() {
  auto look = [&] {
    return named_vms(dirs_, *state_, network_ ? std::optional(network_->mode) : std::nullopt);
  };
  NamedVms named = look();
  // Where a process has ended since the look, the VMs are looked at again.
  while (!deaths_.follow(named.processes)) named = look();
  Facts facts = facts_of(named);
  if (answers_ && facts == facts_) return;
  // Grows with each change, and after a restart too.
  serial_ = std::max(serial_ + 1, static_cast<uint32_t>(wall_now().ns / 1'000'000'000));
  answers_.emplace(dns::Zone(facts.zone, settings_.dns_ttl, serial_, facts.hosts, facts.network));
  facts_ = std::move(facts);
  unsure_.reset();
  generation_++;
}

} // namespace banger::ops

#include "ops/dns/names.h"

#include <algorithm>

#include "core/error.h"
#include "ops/common/places.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/proc.h"

namespace banger::ops {

namespace {

// Who asks waits for it: another who keeps the state locked must not keep the answer for long.
constexpr Millis patience{50}, between_tries{100};

} // namespace

NamedVms named_vms(const Dirs& dirs, state::State& state) {
  NamedVms named;
  for (const Vm& vm : state.busy_vms()) {
    if (!is_live(vm.state)) continue;
    bool runs = sys::FileLock::is_held(places_of(dirs, state.tag(), vm).run_lock);
    for (const ProcessId& id : {vm.monitor_process(), vm.vmm_process()})
      if (id && sys::is_alive(id)) named.processes.push_back(id);
    if (vm.vmm_process() && sys::is_alive(vm.vmm_process())) runs = true;
    if (runs) named.hosts.push_back({vm.name, parse_address("address", vm.reach)});
  }
  return named;
}

Names::Names(const Settings& settings, const Dirs& dirs, Log& log)
    : settings_(settings), dirs_(dirs), log_(log) {}

const dns::Answers* Names::now() {
  if (again_ && steady_now() < *again_) return nullptr;
  try {
    look();
    if (again_) log_.info("dns.state_is_read_again");
    again_.reset();
    return &*answers_;
  } catch (const Error& e) {
    if (!again_) log_.error("dns.no_state", e);
    again_ = steady_now() + between_tries;
    state_.reset();
    return nullptr;
  }
}

void Names::on_death() {
  version_.reset();
  if (!now()) deaths_.follow({}); // what is read next follows them anew
}

void Names::look() {
  // A state may be made, removed, or put back from a copy while this runs: what was opened is not
  // what is there then.
  std::optional<std::pair<uint64_t, uint64_t>> file;
  if (auto info = sys::find_info(dirs_.db())) file.emplace(info->dev, info->ino);
  if (!state_ || state_->is_absent() || file != file_) {
    state_.reset();
    state_.emplace(state::State::open(dirs_, state::Mode::read, patience));
    file_ = file;
    version_.reset();
  }
  int64_t version = state_->data_version();
  if (answers_ && version_ == version) return;
  compute();
  version_ = version;
}

void Names::compute() {
  NamedVms named = named_vms(dirs_, *state_);
  // One that has ended since is looked at again.
  while (!deaths_.follow(named.processes)) named = named_vms(dirs_, *state_);
  if (answers_ && named.hosts == hosts_) return;
  // Grows with each change, and after a restart too.
  serial_ = std::max(serial_ + 1, static_cast<uint32_t>(wall_now().ns / 1'000'000'000));
  answers_.emplace(dns::Zone(settings_.dns_zone, settings_.dns_ttl, serial_, named.hosts));
  hosts_ = std::move(named.hosts);
  generation_++;
}

} // namespace banger::ops

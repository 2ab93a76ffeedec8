// Which VMs have a name in the DNS, and what is answered of them. The state is the truth, and
// whether a VM runs is told by identity.
//
// now() is cheap where nothing has changed: one look at the state file and one at its version. What
// was committed before the call is in what it gives.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "dns/wire.h"
#include "dns/zone.h"
#include "ops/common/context.h"
#include "sys/deaths.h"
#include "sys/file_identity.h"

namespace banger::ops {

struct NamedVms {
  std::vector<dns::Host> hosts;     // by name, with the address that the host reaches each at
  std::vector<dns::Host> guests;    // those of the network that was asked about, with theirs in it
  std::vector<ProcessId> processes; // that they have their names by: monitors and VMMs that live
};
// Those that run: whose VMM lives, or whose monitor is at work, on a start or a guest's reboot.
NamedVms named_vms(const Dirs& dirs, state::State& state, std::optional<NetMode> network = {});

class Names {
public:
  // The network whose guests ask, and where it is.
  struct Network {
    NetMode mode{};
    Subnet subnet;
  };
  // `log` gets why the state cannot be read, once, and when it can again. Without a network: what
  // the host is answered, in the zone of the settings. For guests it is the zone that they were
  // told.
  Names(const Settings& settings, const Dirs& dirs, Log& log, std::optional<Network> network = {});

  // Null while the state cannot be read; then it is tried again ten times a second at most.
  const dns::Answers* now();
  // What guests are told meanwhile: the outside's names as ever, of VMs that nobody knows. Null
  // where the state was never read.
  const dns::Answers* unsure();
  // Readable when one of the processes that names depend on has ended. on_death() makes it quiet.
  int deaths() const { return deaths_.fd(); }
  void on_death();

  size_t hosts() const { return facts_.hosts.size(); }
  // How often what is answered has changed.
  uint64_t generation() const { return generation_; }

private:
  void look();
  void compute();

  // All that answers are made of, but for what does not change.
  struct Facts {
    std::string zone;
    std::vector<dns::Host> hosts;
    std::optional<dns::GuestNetwork> network;
    bool operator==(const Facts&) const = default;
  };
  Facts facts_of(const NamedVms& named);

  const Settings& settings_;
  const Dirs& dirs_;
  Log& log_;
  std::optional<Network> network_;
  std::optional<state::State> state_;
  std::optional<sys::FileIdentity> file_; // of the state file that is open
  std::optional<int64_t> version_;        // of what was computed
  sys::Deaths deaths_;
  Facts facts_;
  std::optional<dns::Answers> answers_, unsure_;
  uint32_t serial_ = 0;
  uint64_t generation_ = 0;
  std::optional<SteadyTime> again_; // cannot be read until then, at least
};

} // namespace banger::ops

// The VMs that have a name in the DNS, and the answers made of them. They are read from the state,
// and whether a VM runs is told by the identity of its processes.
//
// now() is cheap where the state has not changed: it looks at the state file and at its version.
// The answers hold every change that was committed before the call.
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
  std::vector<dns::Host> guests;    // the VMs of the network asked about, with their address in it
  std::vector<ProcessId> processes; // the living monitors and VMMs that the names depend on
};
// The VMs that run: a VMM lives, or a monitor is at work on a start or on a guest's reboot.
NamedVms named_vms(const Dirs& dirs, state::State& state, std::optional<NetMode> network = {});

class Names {
public:
  // The network whose guests ask, and where it is.
  struct Network {
    NetMode mode{};
    Subnet subnet;
  };
  // `log` is told once when the state cannot be read, with the reason, and once when it can again.
  // Without a network these are the host's answers, in the zone of the settings. For guests it is
  // the zone that they were told.
  Names(const Settings& settings, const Dirs& dirs, Log& log, std::optional<Network> network = {});

  // Null while the state cannot be read; then it is tried again ten times a second at most.
  const dns::Answers* now();
  // The answers for guests meanwhile: outside names are relayed as ever, and the names of VMs get
  // SERVFAIL. Null where the state was never read.
  const dns::Answers* unsure();
  // Readable when one of the processes that names depend on has ended. on_death() makes it quiet.
  int deaths() const { return deaths_.fd(); }
  void on_death();

  size_t hosts() const { return facts_.hosts.size(); }
  // How often the answers have changed.
  uint64_t generation() const { return generation_; }

private:
  void look();
  void compute();

  // All that answers are made of, but for the settings, which do not change.
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
  std::optional<int64_t> version_;        // of the state that the answers are made of
  sys::Deaths deaths_;
  Facts facts_;
  std::optional<dns::Answers> answers_, unsure_;
  uint32_t serial_ = 0;
  uint64_t generation_ = 0;
  std::optional<SteadyTime> again_; // cannot be read until then, at least
};

} // namespace banger::ops

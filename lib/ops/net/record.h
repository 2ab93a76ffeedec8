// The state's record of a network that its VMs share: its place, its processes, and each VM's tap.
//
// It is the state's place "user" (ops/net/private_net.h) or "bridge" (ops/net/bridge_net.h) with
// its host objects. A process that changes it holds net.lock. Names and identities are written down
// before, or at once after, the thing is made, so that all of it can be made absent again.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "model/settings.h"
#include "model/subnet.h"
#include "model/vm.h"
#include "ops/common/context.h"
#include "state/state.h"

namespace banger::ops {

// Those with a record.
inline constexpr NetMode shared_networks[] = {NetMode::user, NetMode::bridge};

struct NetRecord {
  NetMode mode = NetMode::user;
  // RUNTIME/TAG/net or /bridge, the working directory of its processes; empty: no network.
  std::string dir;
  std::string subnet;
  ProcessId holder;
  ProcessId slirp; // an earlier build's, for all VMs without one of their own (ops/net/way_out.h)
  // The process that answers guests' DNS (ops/net/resolver.h), or did. Empty: no guest was told of
  // one. Not known where an earlier build wrote the record, which may have forgotten one.
  ProcessId resolver;
  bool resolver_known = false;
  // All that belongs to the process was made or added. A living process without it is begun anew.
  // A bridge has neither holder, slirp nor namespace.
  bool holder_ready = false, slirp_ready = false, resolver_ready = false;
  int guard = 0; // net::guard_version of its rules; 0: it has none
  // The private namespace's inode, or the index of the host's bridge; 0: not known yet.
  uint64_t net_id = 0;
  std::map<std::string, int> taps; // VM's id: N of bngTTTT-N
  bool operator==(const NetRecord&) const = default;

  std::string holder_socket() const { return dir + "/holder.sock"; }
  std::string slirp_socket() const { return dir + "/slirp.sock"; }
  std::string log() const { return dir + "/log"; }
};

// The resolver that its guests are told: the bridge's address, where a resolver answers there (it
// is brought back when it dies); else that of a guest's way out.
Address resolver_of(const NetRecord& record, const Subnet& subnet);

NetRecord read_net(state::State& state, NetMode mode = NetMode::user);
// Where `lasting`, also after a power cut, which takes all of it but a bridge's wish to be up.
void write_net(state::State& state, const NetRecord& record, bool lasting = false);

// Whether a VM may be using its place: it runs, or its monitor is at work. None: it has gone.
bool is_at_work(const Context& ctx, const std::optional<Vm>& vm);

// The lowest number that no tap of the state has, in whatever network.
int free_tap(state::State& state);

inline std::string net_lock(const Dirs& dirs) { return dirs.state + "/net.lock"; }

} // namespace banger::ops

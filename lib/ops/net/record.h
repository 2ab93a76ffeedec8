// What the state knows of its private network: where it is, who keeps it, which VM has which tap.
//
// The state's place "user" and its host objects. Whoever changes it holds net.lock; names and
// identities are written down before, or at once after, the thing is made, so that all of it can be
// made absent again.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "model/settings.h"
#include "model/subnet.h"
#include "model/vm.h"
#include "state/state.h"

namespace banger::ops {

struct NetRecord {
  std::string dir; // RUNTIME/TAG/net, the working directory of both processes; empty: no network
  std::string subnet;
  ProcessId holder;
  ProcessId slirp; // of a build before, for all VMs that have none of their own (ops/net/way_out.h)
  // Who answers what guests ask of names (ops/net/resolver.h), or did; empty: nobody, and no guest
  // was told so. Not known where a build before wrote the record, which may have forgotten one.
  ProcessId resolver;
  bool resolver_known = false;
  // All that belongs to it was made or added: one that is alive only is begun anew.
  bool holder_ready = false, slirp_ready = false, resolver_ready = false;
  int guard = 0;                   // net::guard_version of what guards it; 0: nothing
  uint64_t net_id = 0;             // the namespace's inode; 0: not known yet
  std::map<std::string, int> taps; // VM's id: N of bngTTTT-N
  bool operator==(const NetRecord&) const = default;

  std::string holder_socket() const { return dir + "/holder.sock"; }
  std::string slirp_socket() const { return dir + "/slirp.sock"; }
  std::string log() const { return dir + "/log"; }
};

// The resolver that its guests are told: the bridge's, where somebody answers there, who is brought
// back when he dies; else that of a guest's way out.
Address resolver_of(const NetRecord& record, const Subnet& subnet);

NetRecord read_net(state::State& state);
void write_net(state::State& state, const NetRecord& record);

inline std::string net_lock(const Dirs& dirs) { return dirs.state + "/net.lock"; }

} // namespace banger::ops

// The network of a state as it is now; changes nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/wire.h"
#include "ops/common/context.h"

namespace banger::ops {

struct NetStatus {
  bool up = false;
  std::string mode; // what `auto` gives a new VM: user, isolated
  std::string why;  // why that is isolated, and the command that mends it; else empty
  std::string mend;
  std::string subnet, gateway, resolver;
  // While it is up.
  std::string bridge, table, dir;
  uint64_t net_id = 0;
  ProcessId holder;           // empty: not alive
  ProcessId resolver_process; // of what guests ask of names; empty: not alive, or none

  // The host's network (ops/net/bridge_net.h).
  struct HostNet {
    bool up = false; // the bridge is there, as far as this user may know
    std::string bridge, subnet, gateway;
    std::vector<std::string> uplinks; // that its guests go out by
    ProcessId resolver;               // empty: none, or not alive
    struct Fault {
      std::string text, mend; // what is not as it was made, and the command that mends it
      std::string vm = {};    // of that one alone; empty: of all
      bool outward = false;   // this host reaches its VMs all the same
    };
    std::vector<Fault> faults;
    // Not known without the rights for it: why.
    std::string blind;
  };
  std::optional<HostNet> host; // none: `banger net up` was not run, or undone

  using Drops = std::map<std::string, uint64_t>; // packets by reason
  struct Lease {
    Vm vm;
    std::string tap;                         // empty: it has none now
    ProcessId slirp;                         // its way out; empty: it has none now
    uint64_t out_packets = 0, out_bytes = 0; // what it sent out by NAT, on the host's network
    Drops dropped;
  };
  std::vector<Lease> leases; // by name, isolated VMs too
  struct LivePort {
    Port port;
    std::string guest; // its address
    std::string vm;    // empty: of none that the state knows
  };
  std::vector<LivePort> forwards; // those that are really there
  Drops dropped;                  // in all
};

NetStatus net_status(Reader& in);
Json to_json(const NetStatus& status);

// A published port of a VM, for lists.
Json to_json(const Vm& vm, const Port& port);

} // namespace banger::ops

// What a host has lost of a bridge since it was made, by whatever hand: a flush of all rules, a
// link removed, an address taken off, forwarding turned off, a firewall reloaded, another way out.
// `banger net up` makes it whole again, but for what says otherwise.
#pragma once

#include <string>
#include <vector>

namespace banger::net {

class Links;
class Rules;
struct Bridge;
struct RegisteredBridge;
struct TablePrints;

struct BridgeFault {
  std::string text; // for people: "the bridge 'bng-TTTT' is not there"
  int tap = 0;      // of which VM alone; 0: of all
  // The VM's VMM holds a tap that has gone: what mends it is a restart of the VM.
  bool restarts = false;
  bool clashes = false; // its subnet is somebody else's, too: it needs another one
  bool outward = false; // of ways out alone: this host reaches its guests all the same
  bool operator==(const BridgeFault&) const = default;
};

// The command that mends one of all VMs.
inline const char* mend_of(const BridgeFault& fault) {
  return fault.clashes ? "banger net down; banger net up" : "banger net up";
}

// What nftables lists of a bridge's two tables, as JSON; empty: there is no such table.
struct ListedTables {
  std::string frames, packets;
};
ListedTables list_tables(const std::string& tag, Rules& rules);

// Of links, addresses and forwarding: cheap enough for each start and stop.
std::vector<BridgeFault> link_faults(const RegisteredBridge& entry, Links& links);
// Of rules, our own and those in others' chains, and of the filter behind them (net/link_guard.h).
std::vector<BridgeFault> rule_faults(const RegisteredBridge& entry, const ListedTables& tables,
                                     Links& links, Rules& rules);
// Of ways out, and of taps that no VMM is at.
std::vector<BridgeFault> other_faults(const RegisteredBridge& entry, Links& links);

// The tables of the bridge that lack a rule, by family. Pure.
std::vector<std::string> thin_tables(const Bridge& bridge, const ListedTables& tables);
// Those that are not what was made: other chains, rules or sets than their prints tell of, or sets
// with more or fewer elements than the guests and uplinks need. Pure.
std::vector<std::string> changed_tables(const RegisteredBridge& entry, const ListedTables& tables);
TablePrints prints_of(const ListedTables& tables);

} // namespace banger::net

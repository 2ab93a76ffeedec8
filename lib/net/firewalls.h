// Rules of others on this host that would drop what a bridge forwards: a packet has to pass every
// table, so what banger's own lets through must pass theirs, too.
//
//   iptables, of either kind   INPUT or FORWARD with policy drop; a rule there, or in DOCKER-USER,
//                              which Docker keeps for others' rules
//   nftables                   a base chain at these hooks with policy drop; a rule in it, marked
//   by
//                              a comment
//   firewalld                  the bridge in its zone `trusted`, until firewalld is reloaded
//
// One rule an interface: what an iptables of Debian 12 shows of a rule with a set of interfaces is
// a rule without any, and would open the firewall where that is saved and restored. Whatever passes
// theirs still has to pass banger's own table.
#pragma once

#include <string>
#include <vector>

#include "net/bridge_plan.h"
#include "net/rules.h"

namespace banger::net {

// From what nftables lists of all chains, as JSON. Pure. `own`: banger's tables begin so.
std::vector<Pass> parse_passes(const std::string& chains, std::string_view own);
// Whether a chain, as listed, has a rule that accepts by that match ("iifname", "oifname") of a
// link.
bool has_accept(const std::string& chain, const std::string& match, const std::string& link);

// The chains that have a rule of ours for that bridge, in all that nftables lists, as JSON: one
// that accepts what comes from it or goes to it, and asks for nothing more. Pure.
std::vector<Pass> parse_rules(const std::string& ruleset, const std::string& bridge);

class Firewalls {
public:
  explicit Firewalls(Rules& rules) : rules_(rules) {}
  // The chains that would drop packets now.
  std::vector<Pass> find();
  // The chains that have a rule of ours for that bridge, whatever they would do without it.
  std::vector<Pass> of(const std::string& bridge);
  // Adds what is missing. Throws Error(failed) with what the program said.
  void open(const Pass& pass, const std::string& bridge);
  // Absence is no failure, whatever is missing.
  void close(const Pass& pass, const std::string& bridge);

private:
  Rules& rules_;
};

} // namespace banger::net

// Rules of others on this host that would drop what a bridge forwards: a packet has to pass every
// table, so what banger's own lets through must pass theirs, too.
//
//   iptables, of either kind   INPUT or FORWARD that drops; a rule there before all others, or in
//                              DOCKER-USER, which Docker keeps for others' rules
//   nftables                   a base chain at these hooks that drops; a rule in it before all
//                              others, marked by a comment
//   firewalld                  the bridge in its zone `trusted`, until firewalld is reloaded
//
// A chain drops by its policy, or by a last rule (net/chain_end.h).
//
// One rule an interface: what an iptables of Debian 12 shows of a rule with a set of interfaces is
// a rule without any, and would open the firewall where that is saved and restored. Whatever passes
// theirs still has to pass banger's own table.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/bridge_plan.h"
#include "net/rules.h"

namespace banger::net {

// Gives one chain with its rules, as nftables lists it as JSON.
using ListChain = std::function<std::string(const std::string& family, const std::string& table,
                                            const std::string& chain)>;
// From what nftables lists of all chains, as JSON. Pure. `own`: banger's tables begin so. `list` is
// asked for the rules of chains whose policy is not the answer.
std::vector<Pass> parse_passes(const std::string& chains, std::string_view own,
                               const ListChain& list);
// From what `iptables -S` prints: the chains of it that a rule of ours goes to. Pure.
std::vector<std::string> parse_legacy_passes(std::string_view rules);
// Whether a chain, as listed, has a rule that accepts by that match ("iifname", "oifname") of a
// link.
bool has_accept(const std::string& chain, const std::string& match, const std::string& link);
// The same of firewalld's chain that tells the zones of links apart: whether a link's is `trusted`.
bool is_trusted(const std::string& chain, const std::string& link);

// The chains that have a rule of ours for that bridge, in all that nftables lists, as JSON: one
// that accepts what comes from it or goes to it, and asks for nothing more. Pure.
std::vector<Pass> parse_rules(const std::string& ruleset, const std::string& bridge);

// What a rule of ours for a bridge goes by: to nftables ("iifname"), and to iptables ("-i").
using Match = std::pair<std::string, std::string>;

class Firewalls {
public:
  explicit Firewalls(Rules& rules) : rules_(rules) {}
  // The chains that would drop packets now: all, or those alone of which nftables knows nothing.
  std::vector<Pass> find();
  std::vector<Pass> find_legacy();
  // The chains that have a rule of ours for that bridge, whatever they would do without it.
  std::vector<Pass> of(const std::string& bridge);
  // Whether it has all of them.
  bool lets_pass(const Pass& pass, const std::string& bridge);
  // Adds what is missing. Throws Error(failed) with what the program said.
  void open(const Pass& pass, const std::string& bridge);
  // Absence is no failure, whatever is missing.
  void close(const Pass& pass, const std::string& bridge);

private:
  // Of its rules, those that are not there; not for firewalld, which has a zone instead.
  std::vector<Match> lacking(const Pass& pass, const std::string& bridge);

  Rules& rules_;
};

} // namespace banger::net

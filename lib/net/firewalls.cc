#include "net/firewalls.h"

#include <algorithm>
#include <cerrno>
#include <optional>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"
#include "net/chain_end.h"
#include "net/listed.h"
#include "sys/file.h"
#include "sys/process.h"

namespace banger::net {

namespace {

using Json = nlohmann::json;
using Way = Pass::Way;

constexpr Millis patience{10'000};
constexpr std::pair<Way, std::string_view> ways[] = {{Way::iptables_nft, "iptables-nft"},
                                                     {Way::iptables_legacy, "iptables-legacy"},
                                                     {Way::nftables, "nftables"},
                                                     {Way::firewalld, "firewalld"}};

std::string iptables_of(Way way) { return std::string(name_of(way)); }

bool is_of_iptables(const std::string& family, const std::string& table) {
  return family == "ip" && table == "filter";
}

// The rules of the legacy kind, as `iptables -S` has them; empty where its table filter is not
// there.
std::string legacy_rules() {
  std::optional<std::string> tables;
  try {
    tables = sys::find_content("/proc/net/ip_tables_names", 4096);
  } catch (const Error& e) {
    // A container's network that was made at once with its users lets nobody of those read it.
    if (e.error_number() != EACCES) throw;
  }
  if (!tables || tables->find("filter") == std::string::npos) return {};
  if (!sys::find_program(iptables_of(Way::iptables_legacy))) return {};
  return sys::run_ok({{iptables_of(Way::iptables_legacy), "-w", "-S"}, {}, {}, false}, {},
                     patience);
}

std::vector<Match> matches(const Pass& pass) {
  if (pass.forwards) return {{"iifname", "-i"}, {"oifname", "-o"}};
  return {{"iifname", "-i"}};
}

} // namespace

std::string_view name_of(Way way) {
  return std::ranges::find(ways, way, [](const auto& w) { return w.first; })->second;
}

Way parse_way(std::string_view word) {
  auto found = std::ranges::find(ways, word, [](const auto& w) { return w.second; });
  if (found == std::end(ways)) throw usage("invalid firewall '{}'", word);
  return found->first;
}

std::vector<std::string> parse_legacy_passes(std::string_view rules) {
  auto drops = [&](std::string_view chain) {
    return rules.find(fmt::format("-P {} DROP\n", chain)) != std::string_view::npos ||
           ends_in_drop(rules, chain);
  };
  std::vector<std::string> chains;
  if (drops("INPUT")) chains.emplace_back("INPUT");
  if (drops("FORWARD"))
    chains.emplace_back(rules.find("-N DOCKER-USER\n") != std::string_view::npos ? "DOCKER-USER"
                                                                                 : "FORWARD");
  return chains;
}

std::vector<Pass> parse_passes(const std::string& chains, std::string_view own,
                               const ListChain& list) {
  std::vector<Pass> passes;
  bool docker = false, firewalld = false;
  each_listed(chains, "chain", [&](const Json& c) {
    std::string family = c.value("family", ""), table = c.value("table", ""),
                name = c.value("name", ""), hook = c.value("hook", "");
    if (table.starts_with(own)) return;
    if (is_of_iptables(family, table) && name == "DOCKER-USER") docker = true;
    if (table == "firewalld") firewalld = true;
    if (c.value("type", "") != "filter" || table == "firewalld") return;
    if ((family != "ip" && family != "inet") || (hook != "forward" && hook != "input")) return;
    if (c.value("policy", "") != "drop" &&
        !ends_in_drop(name, [&](const std::string& one) { return list(family, table, one); }))
      return;
    bool forwards = hook == "forward",
         by_iptables = is_of_iptables(family, table) && (name == "FORWARD" || name == "INPUT");
    passes.push_back(
        {by_iptables ? Way::iptables_nft : Way::nftables, family, table, name, forwards});
  });
  for (Pass& pass : passes)
    if (docker && pass.way == Way::iptables_nft && pass.forwards) pass.chain = "DOCKER-USER";
  if (firewalld) passes.push_back({Way::firewalld, {}, {}, {}, true});
  return passes;
}

namespace {

// Whether a rule has that match of a link as its one condition, and `ends` is true of a part.
template <typename Ends>
bool is_rule_for(const Json& rule, const std::string& match, const std::string& link, Ends&& ends) {
  bool matches = false, does = false;
  size_t conditions = 0;
  for (const Json& part : rule.value("expr", Json::array())) {
    does = does || ends(part);
    if (!part.contains("match")) continue;
    conditions++;
    const Json& m = part["match"];
    matches = matches || (m.value("op", "") == "==" && m.value("right", Json()) == link &&
                          m.value("/left/meta/key"_json_pointer, "") == match);
  }
  return matches && does && conditions == 1;
}

bool accepts(const Json& part) { return part.contains("accept"); }

// The same of a chain, as listed.
template <typename Ends>
bool has_rule(const std::string& chain, const std::string& match, const std::string& link,
              Ends&& ends) {
  bool found = false;
  each_listed(chain, "rule",
              [&](const Json& rule) { found = found || is_rule_for(rule, match, link, ends); });
  return found;
}

} // namespace

bool has_accept(const std::string& chain, const std::string& match, const std::string& link) {
  return has_rule(chain, match, link, accepts);
}

std::vector<Pass> parse_rules(const std::string& ruleset, const std::string& bridge) {
  std::vector<Pass> passes;
  each_listed(ruleset, "rule", [&](const Json& rule) {
    Pass pass{Way::nftables, rule.value("family", ""), rule.value("table", ""),
              rule.value("chain", ""), true};
    if (!is_rule_for(rule, "iifname", bridge, accepts) &&
        !is_rule_for(rule, "oifname", bridge, accepts))
      return;
    if (rule.value("comment", "") != bridge) {
      if (!is_of_iptables(pass.family, pass.table)) return; // somebody's own
      pass.way = Way::iptables_nft;
    }
    pass.forwards = pass.chain != "INPUT";
    if (std::ranges::count(passes, pass) == 0) passes.push_back(std::move(pass));
  });
  return passes;
}

bool is_trusted(const std::string& chain, const std::string& link) {
  return has_rule(chain, "iifname", link, [](const Json& part) {
    return part.value("/goto/target"_json_pointer, "") == "filter_FWD_trusted";
  });
}

std::vector<Pass> Firewalls::find() {
  std::vector<Pass> passes =
      parse_passes(rules_.list_chains(), "banger_",
                   [&](const auto& family, const auto& table, const auto& chain) {
                     return rules_.list_chain(family, table, chain);
                   });
  for (Pass& pass : find_legacy()) passes.push_back(std::move(pass));
  return passes;
}

std::vector<Pass> Firewalls::find_legacy() {
  std::vector<Pass> passes;
  for (const std::string& chain : parse_legacy_passes(legacy_rules()))
    passes.push_back({Way::iptables_legacy, "ip", "filter", chain, chain != "INPUT"});
  return passes;
}

std::vector<Pass> Firewalls::of(const std::string& bridge) {
  std::string all = rules_.list_all();
  std::vector<Pass> passes = parse_rules(all, bridge);
  for (const std::string& line : split(legacy_rules(), '\n')) {
    std::vector<std::string> words = split(line, ' '); // -A CHAIN -i LINK -j ACCEPT
    if (words.size() != 6 || words[0] != "-A" || words[3] != bridge || words[5] != "ACCEPT")
      continue;
    Pass pass{Way::iptables_legacy, "ip", "filter", words[1], words[1] != "INPUT"};
    if (std::ranges::count(passes, pass) == 0) passes.push_back(std::move(pass));
  }
  if (is_trusted(rules_.list_chain("inet", "firewalld", "filter_FORWARD_ZONES"), bridge))
    passes.push_back({Way::firewalld, {}, {}, {}, true});
  return passes;
}

std::vector<Match> Firewalls::lacking(const Pass& pass, const std::string& bridge) {
  std::vector<Match> all = matches(pass);
  if (pass.way == Way::iptables_legacy) {
    std::vector<std::string> there = split(legacy_rules(), '\n');
    std::erase_if(all, [&](const Match& m) {
      std::string rule = fmt::format("-A {} {} {} -j ACCEPT", pass.chain, m.second, bridge);
      return std::ranges::count(there, rule) > 0;
    });
  } else {
    std::string there = rules_.list_chain(pass.family, pass.table, pass.chain);
    std::erase_if(all, [&](const Match& m) { return has_accept(there, m.first, bridge); });
  }
  return all;
}

bool Firewalls::lets_pass(const Pass& pass, const std::string& bridge) {
  if (pass.way == Way::firewalld)
    return is_trusted(rules_.list_chain("inet", "firewalld", "filter_FORWARD_ZONES"), bridge);
  return lacking(pass, bridge).empty();
}

void Firewalls::open(const Pass& pass, const std::string& bridge) {
  if (pass.way == Way::firewalld) {
    // Its program takes a second.
    if (lets_pass(pass, bridge)) return;
    sys::run_ok({{"firewall-cmd", "--zone=trusted", "--change-interface=" + bridge}, {}, {}, false},
                {}, patience);
    return;
  }
  for (const auto& [match, flag] : lacking(pass, bridge)) {
    if (pass.way == Way::nftables)
      rules_.apply(fmt::format("insert rule {} {} {} {} \"{}\" accept comment \"{}\"\n",
                               pass.family, pass.table, pass.chain, match, bridge, bridge));
    else
      sys::run_ok({{iptables_of(pass.way), "-w", "-I", pass.chain, flag, bridge, "-j", "ACCEPT"},
                   {},
                   {},
                   false},
                  {}, patience);
  }
}

void Firewalls::close(const Pass& pass, const std::string& bridge) {
  if (pass.way == Way::firewalld) {
    if (sys::find_program("firewall-cmd"))
      sys::run({{"firewall-cmd", "--zone=trusted", "--remove-interface=" + bridge}, {}, {}, false},
               {}, patience);
    return;
  }
  if (pass.way != Way::nftables) {
    if (!sys::find_program(iptables_of(pass.way))) return;
    for (const auto& [match, flag] : matches(pass))
      sys::run({{iptables_of(pass.way), "-w", "-D", pass.chain, flag, bridge, "-j", "ACCEPT"},
                {},
                {},
                false},
               {}, patience);
    return;
  }
  std::string script;
  each_listed(rules_.list_chain(pass.family, pass.table, pass.chain), "rule",
              [&](const Json& rule) {
                if (rule.value("comment", "") == bridge)
                  script += fmt::format("delete rule {} {} {} handle {}\n", pass.family, pass.table,
                                        pass.chain, rule.value("handle", 0));
              });
  rules_.apply(script);
}

} // namespace banger::net

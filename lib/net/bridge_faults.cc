#include "net/bridge_faults.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "net/bridge_registry.h"
#include "net/bridge_render.h"
#include "net/firewalls.h"
#include "net/links.h"
#include "net/listed.h"
#include "net/plan.h"
#include "net/rules.h"
#include "net/sysctl.h"

namespace banger::net {

namespace {

bool has_rule(const std::string& listed, std::string_view chain) {
  bool found = false;
  each_listed(listed, "rule", [&](const nlohmann::json& rule) {
    found = found || rule.value("chain", "") == chain;
  });
  return found;
}

} // namespace

std::vector<BridgeFault> link_faults(const RegisteredBridge& entry, Links& links) {
  const Bridge& b = entry.bridge;
  const std::string bridge = bridge_name(b.tag);
  const int index = links.index_of(bridge);
  if (index == 0) return {{fmt::format("the bridge '{}' is not there", bridge)}};
  std::vector<BridgeFault> faults;
  auto add = [&](std::string text, int tap = 0, bool restarts = false) {
    faults.push_back({std::move(text), tap, restarts});
  };
  if (!links.is_up(bridge)) add(fmt::format("the bridge '{}' is not up", bridge));
  if (!links.is_local(b.subnet.bridge(), bridge))
    add(fmt::format("the address {} is not at the bridge '{}'", to_text(b.subnet.bridge()),
                    bridge));
  if (!is_forwarding(bridge)) add(fmt::format("forwarding is off for '{}'", bridge));
  if (b.guests.empty()) return faults;
  std::set<std::string> ports; // of the bridge, that are up
  for (const Links::Seen& port : links.ports())
    if (port.master == index && port.up) ports.insert(port.name);
  for (const auto& [n, guest] : b.guests) {
    const std::string name = tap_name(b.tag, n);
    if (ports.contains(name)) continue;
    if (links.index_of(name) == 0)
      add(fmt::format("the tap '{}' is not there", name), n, true);
    else
      add(fmt::format("the tap '{}' is not up, at the bridge", name), n);
  }
  return faults;
}

ListedTables list_tables(const std::string& tag, Rules& rules) {
  const std::string table = table_name(tag);
  return {rules.list("bridge", table), rules.list("inet", table)};
}

std::vector<std::string> thin_tables(const Bridge& bridge, const ListedTables& tables) {
  using Chain = std::pair<std::string, std::string>; // family and name
  std::map<Chain, int> lacking;
  for (const std::string& line : split(bridge_rules(bridge), '\n')) {
    std::vector<std::string> words = split(line, ' '); // add rule FAMILY TABLE CHAIN …
    if (words.size() > 4 && words[0] == "add" && words[1] == "rule")
      lacking[{words[2], words[4]}]++;
  }
  for (const auto& [family, listed] :
       {std::pair{"bridge", &tables.frames}, std::pair{"inet", &tables.packets}})
    each_listed(*listed, "rule", [&](const nlohmann::json& rule) {
      lacking[{family, rule.value("chain", "")}]--;
    });
  std::vector<std::string> thin;
  for (const auto& [chain, rules] : lacking)
    if (rules > 0 && std::ranges::count(thin, chain.first) == 0) thin.push_back(chain.first);
  return thin;
}

namespace {

using Json = nlohmann::json;

std::string print_of(const std::string& listed) {
  std::string text;
  each_object(listed, [&](const std::string& kind, Json& object) {
    if (kind == "metainfo") return;
    for (const char* passing : {"handle", "elem"}) object.erase(passing);
    text += kind + object.dump();
  });
  return text.empty() ? text : fmt::format("{:x}", std::hash<std::string>()(text));
}

// Packets fill a dynamic one.
bool is_ours(const Json& set) {
  const Json flags = set.value("flags", Json()); // an array, or the word where it is one
  if (flags.is_string()) return flags != "dynamic";
  return std::ranges::none_of(flags, [](const Json& f) { return f == "dynamic"; });
}

// Of sets that are not empty, by family and name.
using Sizes = std::map<std::pair<std::string, std::string>, size_t>;

Sizes sizes_in(const char* family, const std::string& listed) {
  Sizes sizes;
  each_object(listed, [&](const std::string& kind, const Json& set) {
    if ((kind == "set" || kind == "map") && is_ours(set))
      if (size_t n = set.value("elem", Json::array()).size(); n > 0)
        sizes[{family, set.value("name", "")}] = n;
  });
  return sizes;
}

Sizes sizes_for(const Bridge& b) {
  Sizes sizes;
  for (const std::string& line : split(bridge_rules(b), '\n')) {
    std::vector<std::string> words = split(line, ' '); // add element FAMILY TABLE SET …
    if (words.size() > 4 && words[0] == "add" && words[1] == "element")
      sizes[{words[2], words[4]}]++;
  }
  return sizes;
}

} // namespace

TablePrints prints_of(const ListedTables& tables) {
  return {print_of(tables.frames), print_of(tables.packets)};
}

std::vector<std::string> changed_tables(const RegisteredBridge& entry, const ListedTables& tables) {
  std::vector<std::string> changed;
  const Sizes all = sizes_for(entry.bridge);
  auto look = [&](const char* family, const std::string& print, const std::string& listed) {
    if (print.empty()) return;
    Sizes sizes = all;
    std::erase_if(sizes, [&](const auto& s) { return s.first.first != family; });
    if (print != print_of(listed) || sizes_in(family, listed) != sizes)
      changed.emplace_back(family);
  };
  look("bridge", entry.prints.frames, tables.frames);
  look("inet", entry.prints.packets, tables.packets);
  return changed;
}

std::vector<BridgeFault> rule_faults(const RegisteredBridge& entry, const ListedTables& tables,
                                     Links& links, Rules& rules) {
  const Bridge& b = entry.bridge;
  const std::string bridge = bridge_name(b.tag), table = table_name(b.tag);
  std::vector<BridgeFault> faults;
  auto add = [&](std::string text) { faults.push_back({std::move(text)}); };
  const bool guarded = links.is_guarded(bridge), open = !guarded || has_rule(tables.frames, stamps);
  const std::vector<std::string> thin = thin_tables(b, tables);
  for (const std::string& family : thin)
    add(fmt::format("rules of the table '{} {}' are missing: {}", family, table,
                    family != "inet" ? "guests may send as others"
                    : open           ? "guests are not kept from this host, and have no NAT"
                                     : "guests reach nobody but one another"));
  for (const std::string& family : changed_tables(entry, tables))
    if (std::ranges::count(thin, family) == 0)
      add(fmt::format("somebody has changed the table '{} {}'", family, table));
  if (!guarded && !entry.unguarded)
    faults.push_back(
        {.text = fmt::format("no filter guards '{}': whoever flushes all rules opens it", bridge),
         .outward = true});
  Firewalls firewalls(rules);
  for (const Pass& pass : firewalls.find())
    if (!firewalls.lets_pass(pass, bridge))
      add(fmt::format("{} does not let '{}' pass{}", name_of(pass.way), bridge,
                      pass.chain.empty() ? "" : " in " + pass.chain));
  return faults;
}

std::vector<BridgeFault> other_faults(const RegisteredBridge& entry, Links& links) {
  const Bridge& b = entry.bridge;
  std::vector<BridgeFault> faults;
  auto add = [&](std::string text) {
    faults.push_back({.text = std::move(text), .outward = true});
  };
  const std::vector<std::string> now = links.uplinks();
  for (const Uplink& u : b.uplinks) {
    if (u.leads_out && std::ranges::count(now, u.name) == 0)
      add(fmt::format("guests go out by '{}', which leads outside no more", u.name));
    else if (!is_forwarding(u.name))
      add(fmt::format("forwarding is off for '{}'", u.name));
  }
  for (const std::string& name : now)
    if (std::ranges::none_of(b.uplinks,
                             [&](const Uplink& u) { return u.leads_out && u.name == name; }))
      add(fmt::format("'{}' leads outside now, and guests may not go by it", name));
  for (const Prefix& p : links.routed(bridge_name(b.tag)))
    if (overlap(p, b.subnet.as_prefix()))
      faults.push_back(
          {.text =
               fmt::format("this host has another route to {}, in the bridge's subnet", to_text(p)),
           .clashes = true});
  for (const Links::Seen& link : links.all())
    if (auto n = tap_number(b.tag, link.name); n && b.guests.contains(*n) && !link.carrier)
      faults.push_back({fmt::format("no VMM is at the tap '{}'", link.name), *n, true});
  return faults;
}

} // namespace banger::net

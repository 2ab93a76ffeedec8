#include "net/bridge_traces.h"

#include <algorithm>
#include <tuple>

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
#include "sys/file.h"

namespace banger::net {

namespace {

bool is_bridge_of(const std::string& tag, const Links::Seen& link) {
  return link.name == bridge_name(tag) && link.kind == "bridge" &&
         link.group == bridge_group_of(tag);
}

bool is_tap_of(const std::string& tag, const Links::Seen& link) {
  return tap_number(tag, link.name) && link.kind == "tun" &&
         (link.group == group_of(tag) || link.group == going_group_of(tag));
}

bool knows_tap(const std::optional<RegisteredBridge>& entry, const std::string& tap) {
  return entry && entry->bridge.guests.contains(*tap_number(entry->bridge.tag, tap));
}

// By its place: a rule says not at which hook it is.
bool knows_pass(const std::optional<RegisteredBridge>& entry, const Pass& pass) {
  auto place = [](const Pass& p) { return std::tie(p.way, p.family, p.table, p.chain); };
  return entry && std::ranges::any_of(entry->bridge.passes, [&](const Pass& known) {
           return place(known) == place(pass);
         });
}

std::string name_of_rule(const Pass& pass, const std::string& bridge) {
  if (pass.way == Pass::Way::firewalld) return fmt::format("firewalld trusted {}", bridge);
  if (pass.way == Pass::Way::nftables)
    return fmt::format("{} {} {} {}", pass.family, pass.table, pass.chain, bridge);
  return fmt::format("{} {} {}", name_of(pass.way), pass.chain, bridge);
}

} // namespace

std::vector<BridgeTraces::Object> traces_of(const std::string& tag,
                                            const std::optional<RegisteredBridge>& entry,
                                            Links& links, Rules& rules) {
  const std::string bridge = bridge_name(tag);
  std::vector<BridgeTraces::Object> found;
  for (const Links::Seen& link : links.all()) {
    if (is_bridge_of(tag, link)) found.push_back({"bridge", link.name, entry.has_value()});
    if (is_tap_of(tag, link)) found.push_back({"tap", link.name, knows_tap(entry, link.name)});
  }
  each_listed(rules.list_tables(), "table", [&](const nlohmann::json& table) {
    if (table.value("name", "") == table_name(tag))
      found.push_back({"table", fmt::format("{} {}", table.value("family", ""), table_name(tag)),
                       entry.has_value()});
  });
  for (const Pass& pass : Firewalls(rules).of(bridge))
    found.push_back({"rule", name_of_rule(pass, bridge), knows_pass(entry, pass)});
  std::vector<std::string> opened;
  if (!entry)
    opened = opened_uplinks(tag, rules);
  else
    for (const Uplink& u : entry->bridge.uplinks)
      if (!u.forwarded) opened.push_back(u.name);
  for (const std::string& name : opened) {
    std::string key = fmt::format("net/ipv4/conf/{}/forwarding", name);
    if (trim(sys::find_content("/proc/sys/" + key, 64).value_or("")) == "1")
      found.push_back({"setting", key, entry.has_value()});
  }
  if (!entry) return found;
  found.push_back({"record", bridge_record(tag), true});
  return found;
}

std::vector<std::string> opened_uplinks(const std::string& tag, Rules& rules) {
  std::vector<std::string> names;
  each_listed(rules.list("inet", table_name(tag)), "set", [&](const nlohmann::json& set) {
    if (set.value("name", "") != "opened") return;
    for (const nlohmann::json& name : set.value("elem", nlohmann::json::array()))
      // It becomes a part of a path.
      if (name.is_string() && name.get<std::string>().find('/') == std::string::npos)
        names.push_back(name.get<std::string>());
  });
  return names;
}

bool has_tap_of_another(const std::string& tag, unsigned uid, Links& links) {
  return std::ranges::any_of(links.all(), [&](const Links::Seen& link) {
    return is_tap_of(tag, link) && link.owner != uid;
  });
}

void remove_traces(const std::string& tag, const std::optional<RegisteredBridge>& entry,
                   Links& links, Rules& rules) {
  std::vector<std::string> taps;
  bool has_bridge = false;
  for (const Links::Seen& link : links.all()) {
    if (is_tap_of(tag, link) && !knows_tap(entry, link.name)) taps.push_back(link.name);
    has_bridge = has_bridge || is_bridge_of(tag, link);
  }
  Firewalls firewalls(rules);
  for (const Pass& pass : firewalls.of(bridge_name(tag)))
    if (!knows_pass(entry, pass)) firewalls.close(pass, bridge_name(tag));
  if (!taps.empty()) links.remove_all(taps, going_group_of(tag));
  if (entry) return;
  if (has_bridge) links.remove(bridge_name(tag));
  rules.apply(no_rules(tag)); // last: until then nothing more is forwarded than with it
}

} // namespace banger::net

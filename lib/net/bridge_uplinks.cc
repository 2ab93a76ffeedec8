#include "net/bridge_uplinks.h"

#include <algorithm>
#include <set>
#include <utility>

#include "model/port.h"
#include "net/bridge_traces.h"
#include "net/plan.h"
#include "net/sysctl.h"

namespace banger::net {

namespace {

// Whoever sets it wants the host to forward; banger never does.
constexpr const char* forwards_all = "/proc/sys/net/ipv4/ip_forward";

// Whether the name can stand in a rule.
bool is_plain(const std::string& link) {
  return std::ranges::all_of(link,
                             [](char c) { return c > ' ' && c < 127 && c != '"' && c != '*'; });
}

} // namespace

void BridgeUplinks::give_back(const Uplink& uplink, const std::string& tag) {
  if (uplink.forwarded || is_on(forwards_all)) return; // or somebody wants it since
  for (const RegisteredBridge& other : registry_.others(tag))
    for (const Uplink& theirs : other.bridge.uplinks)
      if (theirs.name == uplink.name) return; // theirs to give back: it is not `forwarded` there
  turn(sysctl_of(uplink.name, "forwarding"), false);
}

bool BridgeUplinks::follow(RegisteredBridge& entry, bool record_may_be_lost) {
  bool changed = find(entry, record_may_be_lost);
  for (const Uplink& u : entry.bridge.uplinks) turn(sysctl_of(u.name, "forwarding"), true);
  return changed;
}

// Where a port is published for others than this host. Of an address that has gone there is none.
std::vector<std::string> BridgeUplinks::with_ports(const Bridge& b) {
  std::set<std::string> addresses;
  for (const auto& [tap, guest] : b.guests)
    for (const Port& p : guest.ports)
      if (!p.host_address.starts_with("127.") && p.host_address != guest.address)
        addresses.insert(p.host_address);
  if (addresses.empty()) return {};
  std::set<std::string> names;
  for (const auto& [address, link] : links_.own_addresses())
    if (link != "lo" && !link.starts_with("bng-") &&
        (addresses.contains(everywhere) || addresses.contains(to_text(address))))
      names.insert(link);
  return {names.begin(), names.end()};
}

bool BridgeUplinks::find(RegisteredBridge& entry, bool record_may_be_lost) {
  std::vector<Uplink> now;
  std::vector<RegisteredBridge> all = registry_.others(entry.bridge.tag);
  all.push_back(entry);
  std::vector<std::string> opened; // the rules still tell of them
  if (entry.bridge.uplinks.empty() && record_may_be_lost)
    opened = opened_uplinks(entry.bridge.tag, rules_);
  auto was_off = [&](const std::string& name) {
    if (std::ranges::count(opened, name) > 0) return true;
    for (const RegisteredBridge& other : all)
      for (const Uplink& u : other.bridge.uplinks)
        if (u.name == name && !u.forwarded) return true;
    return !is_forwarding(name);
  };
  for (const std::string& name : links_.uplinks())
    if (is_plain(name)) now.push_back({name, !was_off(name)});
  for (const std::string& name : with_ports(entry.bridge))
    if (is_plain(name) &&
        std::ranges::none_of(now, [&](const Uplink& u) { return u.name == name; }))
      now.push_back({name, !was_off(name), false});
  std::vector<Uplink> before = std::exchange(entry.bridge.uplinks, now);
  for (Uplink& u : entry.bridge.uplinks)
    for (const Uplink& old : before)
      if (old.name == u.name) u.forwarded = old.forwarded || is_on(forwards_all);
  bool changed = entry.bridge.uplinks != before;
  if (changed) registry_.write(entry);
  for (const Uplink& old : before)
    if (std::ranges::none_of(now, [&](const Uplink& u) { return u.name == old.name; }))
      give_back(old, entry.bridge.tag);
  return changed;
}

} // namespace banger::net

#include "ops/query/probe_verdict.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "core/text.h"

namespace banger::ops {

namespace {

constexpr const char* anew = "banger net up";
constexpr const char* forwarding_key = "net.ipv4.conf.{}.forwarding";

std::string place_of(const net::FlowDrop& d) {
  return d.handle ? fmt::format("{} {} {}, rule {}", d.family, d.table, d.chain, d.handle)
                  : fmt::format("{} {} {}, policy", d.family, d.table, d.chain);
}

// By a rule of banger's: which, the counts of the same time tell.
Finding by_own_rule(const ProbeScene& s, const std::string& at) {
  auto counted = [&](const char* reason) {
    auto found = s.dropped.find(reason);
    return found != s.dropped.end() && found->second > 0;
  };
  for (const char* reason : {"mac", "address", "arp"})
    if (counted(reason))
      return {Barrier::rule, at,
              fmt::format("the guest sends as another: its {} is not the one that it was given",
                          std::string_view(reason) == "mac" ? "MAC" : "address"),
              fmt::format("banger vm restart {}", s.vm)};
  if (!s.nat)
    return {Barrier::setting, at,
            "NAT is off for this VM: what it begins leaves the bridge nowhere",
            fmt::format("banger net nat up {}", s.vm)};
  std::string found = "this address is closed to guests: it is the host's own, or nobody's outside";
  if (!s.bridge.empty())
    found = s.uplinks.empty()
                ? "this host has no uplink: no default route"
                : fmt::format("guests get out by {} alone, and this address is elsewhere: the "
                              "host's own, another network's, or nobody's outside",
                              join(s.uplinks, ", "));
  return {Barrier::rule, at, found, {}};
}

// Where one of both ways dropped it by a chain.
std::optional<Finding> by_chain(const ProbeScene& s, const net::FlowSeen& seen) {
  if (seen.drops.empty()) return {};
  const net::FlowDrop& d = seen.drops.front();
  if (d.table == s.table) return by_own_rule(s, place_of(d));
  return Finding{Barrier::firewall, place_of(d), "a firewall of this host drops it",
                 // What its owner has for others can be taken anew.
                 d.table == "firewalld"
                     ? anew
                     : fmt::format("nft -a list chain {} {} {} shows what its owner has there",
                                   d.family, d.table, d.chain)};
}

Finding not_forwarded(const std::string& link, const std::string& fix) {
  return {Barrier::forwarding, fmt::format(fmt::runtime(forwarding_key), link),
          fmt::format("this host forwards nothing that comes by '{}'", link), fix};
}

constexpr const char* unseen_firewall =
    "a firewall that nftables does not show drops what is forwarded (iptables-legacy -S FORWARD)";

// From the hook `forward` on, the same both ways.
std::optional<Finding> while_forwarded(const net::FlowCounts& way) {
  if (way.forwarded > 0 && way.passed == 0)
    return Finding{Barrier::firewall, "the hook forward", unseen_firewall, {}};
  if (way.passed > 0 && way.left == 0)
    return Finding{Barrier::routing,
                   "the hook postrouting",
                   "it gets through the rules, and is not sent on",
                   {}};
  return {};
}

Finding lost_rules() {
  return {Barrier::rule, "banger's own tables", "banger's rules are missing: somebody flushed them",
          anew};
}

// What came back was lost on its way to the guest.
Finding answers_lost(const ProbeScene& s, const net::FlowSeen& seen) {
  const net::FlowCounts& back = seen.back;
  if (back.taken > 0 && back.forwarded == 0)
    return {Barrier::routing, {}, "answers come, and this host takes them for its own", {}};
  if (back.forwarded == 0) {
    if (!s.closed.empty()) return not_forwarded(s.closed.front(), anew);
    return {
        Barrier::routing,
        {},
        "answers come, and this host does not forward them (rp_filter, or a rule of ip-rule(8))",
        {}};
  }
  if (auto lost = while_forwarded(back)) return *lost;
  if (back.to_tap == 0)
    return {Barrier::unknown, s.bridge, "answers come, and the bridge does not hand them over", {}};
  return {Barrier::guest,
          {},
          "answers reach the guest, which does not take them: its own firewall",
          {}};
}

Finding watched_outward(const ProbeScene& s, const net::FlowSeen& seen) {
  const net::FlowCounts& there = seen.there;
  if (auto found = by_chain(s, seen)) return *found;
  if (there.from_tap == 0)
    return {
        Barrier::guest, {}, "nothing of it leaves the guest: its own firewall, or its routes", {}};
  if (!seen.own_rules) return lost_rules();
  if (there.entered == 0)
    return {Barrier::unknown, s.bridge, "the bridge does not hand it to this host", {}};
  if (there.taken > 0)
    return {Barrier::outside, {}, "the address is this host's own, and nobody answers there", {}};
  if (there.forwarded == 0) {
    if (!s.bridge_forwards) return not_forwarded(s.bridge, anew);
    if (s.uplinks.empty())
      return {Barrier::routing, {}, "this host has no default route any more", {}};
    return {Barrier::routing, {}, "this host has no route for what comes from the bridge", {}};
  }
  if (auto lost = while_forwarded(there)) return *lost;
  if (seen.back.entered == 0)
    return {Barrier::outside, {}, "it leaves this host, and nothing comes back", {}};
  return answers_lost(s, seen);
}

Finding blind(const ProbeScene& s) {
  Finding f{Barrier::unknown, {}, "it is lost between guest and outside", {}};
  if (!s.blind.empty()) f.found += "; where is not known: " + s.blind;
  return f;
}

} // namespace

std::vector<ProbeTry> judge_guest(const std::string& address, const std::string& gateway,
                                  const GuestLook& look) {
  using Outcome = ProbeTry::Outcome;
  std::vector<ProbeTry> tries;
  auto add = [&](const char* test, bool ok, const std::string& good, const std::string& bad) {
    tries.push_back({.test = test,
                     .outcome = ok ? Outcome::ok : Outcome::lost,
                     .by = ok ? Barrier::none : Barrier::guest,
                     .found = ok ? good : bad});
  };
  add("link", !look.link.empty() && look.carrier, fmt::format("{} is up", look.link),
      look.link.empty() ? "no link of the guest has the MAC that it was given"
                        : fmt::format("the guest's link {} is down", look.link));
  add("address", look.addressed, address, fmt::format("the guest has not the address {}", address));
  bool right = look.routed && (look.gateway == gateway || gateway.empty());
  add("route", right, fmt::format("by {}", look.gateway),
      look.routed ? fmt::format("the guest's default route is by {}, not by {}",
                                look.gateway.empty() ? "a link" : look.gateway, gateway)
                  : "the guest has no default route");
  return tries;
}

Finding judge_outward(const ProbeScene& s, const GuestLook& look) {
  if (s.no_way_out)
    return {
        Barrier::setting, "net.isolated_outbound",
        "its network has no way out: nothing that it begins arrives anywhere",
        fmt::format("banger vm set --net user {}, or start it with net.isolated_outbound", s.vm)};
  if (look.outside == Heard::no_tool)
    return {Barrier::guest, {}, "the guest has no program to try it with: neither bash nor nc", {}};
  if (!look.routed) return {Barrier::guest, {}, "the guest has no default route", {}};
  if (s.seen) return watched_outward(s, *s.seen);
  if (s.way_lost)
    return {Barrier::process, "slirp4netns", "the VM's way out has ended",
            fmt::format("banger vm restart {}", s.vm)};
  if (std::ranges::any_of(s.dropped, [](const auto& d) { return d.second > 0; }))
    return by_own_rule(s, "bridge " + s.table + " guest");
  if (s.bridge.empty()) {
    Finding f{Barrier::guest,
              {},
              "this host gets there, and the guest does not: its own firewall, "
              "or its routes",
              {}};
    if (!look.said.empty()) f.found += fmt::format(" ({})", look.said);
    return f;
  }
  if (!s.nat) return by_own_rule(s, {});
  if (!s.bridge_forwards) return not_forwarded(s.bridge, anew);
  if (!s.closed.empty()) return not_forwarded(s.closed.front(), anew);
  return blind(s);
}

Finding judge_names(const ProbeScene& s, const std::string& server) {
  if (s.resolver_lost)
    return {Barrier::process, "banger-resolver", "nobody answers for names: its process has ended",
            fmt::format("banger vm restart {}", s.vm)};
  if (!s.seen) return blind(s);
  if (auto found = by_chain(s, *s.seen)) return *found;
  const net::FlowCounts& there = s.seen->there;
  if (there.from_tap == 0)
    return {
        Barrier::guest, {}, "no question leaves the guest: its own firewall, or its routes", {}};
  if (there.taken == 0)
    return {Barrier::unknown,
            s.bridge,
            fmt::format("{} does not get the guest's questions", server),
            {}};
  if (s.seen->back.begun == 0)
    return {Barrier::process, "banger-resolver", "the resolver gives no answer in time", {}};
  return {Barrier::guest,
          {},
          "answers go to the guest, which does not take them: its own firewall",
          {}};
}

Finding judge_inward(const ProbeScene& s) {
  if (s.bridge.empty() || !s.seen) {
    Finding f{Barrier::guest, {}, "the guest does not answer", {}};
    if (s.way_lost)
      f = {Barrier::process, "slirp4netns", "the VM's way in has ended",
           fmt::format("banger vm restart {}", s.vm)};
    return s.lost.value_or(f);
  }
  if (auto found = by_chain(s, *s.seen)) return *found;
  const net::FlowCounts &there = s.seen->there, &back = s.seen->back;
  // Without them not even what the guest says of its address gets in.
  if (!s.seen->own_rules) return lost_rules();
  if (s.lost && back.from_tap == 0) return *s.lost;
  if (there.left == 0 && there.forwarded == 0)
    return {Barrier::routing, {}, "this host does not send it to the bridge", {}};
  if (there.to_tap == 0)
    return {Barrier::guest, {}, "the guest does not say that it has its address (ARP)", {}};
  if (back.from_tap == 0)
    return {Barrier::guest, {}, "the guest is reached and does not answer: its own firewall", {}};
  if (back.taken > 0) return {Barrier::guest, {}, "the guest refuses the connection", {}};
  return {Barrier::unknown, s.bridge, "the guest answers, and its answers are lost", {}};
}

} // namespace banger::ops

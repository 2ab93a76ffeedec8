#include "net/render.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "net/rule_text.h"

namespace banger::net {

namespace {

// Which way out belongs to which tap, and which taps have one.
constexpr std::string_view ways = "ways", own_way = "own_way";
constexpr std::string_view host = "host", host_open = "host_open"; // the host's; who may go there

// Each direction is looked up as it comes.
std::string way_elements(std::string_view verb, const std::string& tag, int n) {
  std::string table = table_name(tag), tap = tap_name(tag, n), way = way_name(tag, n);
  return fmt::format("{0} element bridge {1} {2} {{ \"{4}\" . \"{5}\", \"{5}\" . \"{4}\" }}\n"
                     "{0} element bridge {1} {3} {{ \"{4}\" }}\n",
                     verb, table, ways, own_way, tap, way);
}

std::string open_element(std::string_view verb, std::string_view table, std::string_view tap) {
  return fmt::format("{} element bridge {} {} {{ \"{}\" }}\n", verb, table, host_open, tap);
}

// The shared one of a build before too.
std::string any_way(const std::string& tag) { return fmt::format("\"{}*\"", way_stem(tag)); }

// The table without guests.
std::string table_rules(const std::string& tag) {
  std::string t = table_name(tag), r;
  // Replaced as a whole: of a table that a crash left half-made nothing stays.
  r += fmt::format("add table bridge {0}\ndelete table bridge {0}\nadd table bridge {0}\n", t);
  return r + sender_sets(t);
}

// The frames that may be sent, and by whom; made or brought up to date while VMs run.
std::string sent_rules(const std::string& tag) {
  std::string t = table_name(tag), r;
  for (std::string_view reason : drop_reasons) r += counter_set(t, reason);
  // Before the bridge learns: a frame that is dropped here moves no neighbour's MAC.
  r += fmt::format("add chain bridge {} sent {{ type filter hook prerouting priority -300; "
                   "policy accept; }}\n",
                   t);
  for (std::string_view chain : {"outside", "guest"})
    r += fmt::format("add chain bridge {} {}\n", t, chain);
  for (std::string_view chain : {"sent", "outside", "guest"})
    r += fmt::format("flush chain bridge {} {}\n", t, chain);
  r += fmt::format("add rule bridge {} sent iifname {} goto outside\n", t, any_way(tag));
  r += fmt::format("add rule bridge {} sent goto guest\n", t);
  r += drop_rule(t, "outside", "udp sport 67", "dhcp");
  return r + guest_rules(t);
}

// The frames that the bridge itself takes; a broadcast comes here as well as to all others.
std::string taken_rules(const std::string& tag, const Subnet& subnet) {
  std::string t = table_name(tag), own = to_text(subnet.bridge());
  std::string r = fmt::format("add chain bridge {0} taken {{ type filter hook input priority 0; "
                              "policy drop; }}\n"
                              "flush chain bridge {0} taken\n",
                              t);
  r += fmt::format("add rule bridge {} taken ether type arp accept\n", t);
  r += fmt::format("add rule bridge {} taken ip daddr {} ip protocol udp accept\n", t, own);
  r += fmt::format("add rule bridge {} taken ip daddr {} tcp dport 53 accept\n", t, own);
  r += fmt::format("add rule bridge {} taken ip daddr {} icmp type {{ echo-request, "
                   "destination-unreachable }} accept\n",
                   t, own);
  return r;
}

// The guard of the way out, made or brought up to date while VMs run; the set of the host's
// addresses stays as it is.
std::string guard_rules(const std::string& tag, const Subnet& subnet) {
  std::string t = table_name(tag), way_out = to_text(subnet.way_out()),
              resolver = to_text(subnet.resolver());
  std::string r = counter_set(t, "destination");
  r += fmt::format("add set bridge {} {} {{ type ipv4_addr; flags interval; }}\n", t, host);
  r += fmt::format("add set bridge {} {} {{ type ifname; }}\n", t, host_open);
  r += fmt::format("add set bridge {} {} {{ type ifname . ifname; }}\n", t, ways);
  r += fmt::format("add set bridge {} {} {{ type ifname; }}\n", t, own_way);
  r += fmt::format("add chain bridge {} in\nflush chain bridge {} in\n", t, t);
  r += fmt::format("add chain bridge {} out {{ type filter hook forward priority 0; "
                   "policy accept; }}\n"
                   "flush chain bridge {} out\n",
                   t, t);
  std::string shared = shared_way_name(tag);
  auto to_guest = [&](std::string_view text) {
    r += fmt::format("add rule bridge {} in {}\n", t, text);
  };
  to_guest(fmt::format("iifname \"{}\" oifname @{} drop", shared, own_way));
  to_guest(fmt::format("iifname != \"{}\" iifname {} iifname . oifname != @{} drop", shared,
                       any_way(tag), ways));
  r += receiver_rule(t, "in", "");
  auto rule = [&](std::string_view text) {
    r += fmt::format("add rule bridge {} out {}\n", t, text);
  };
  rule(fmt::format("oifname != {} goto in", any_way(tag)));
  rule(fmt::format("oifname \"{}\" iifname @{} drop", shared, own_way));
  rule(fmt::format("oifname != \"{}\" iifname . oifname != @{} drop", shared, ways));
  rule("meta protocol != ip accept"); // ARP: `sent` lets nothing else through
  for (std::string_view proto : {"tcp", "udp"})
    rule(fmt::format("ip daddr {} {} dport 53 accept", resolver, proto));
  rule(fmt::format("ip daddr {} icmp type echo-request accept", resolver));
  r += drop_rule(t, "out", fmt::format("ip daddr {}", resolver), "destination");
  rule(fmt::format("ip daddr {} accept", way_out)); // it answers echo, and takes answers of TCP
  r += drop_rule(t, "out", fmt::format("ip daddr {}", never_out), "destination");
  rule(fmt::format("ip daddr @{} iifname @{} accept", host, host_open));
  rule(
      fmt::format("ip daddr @{} ip frag-off & 0x1fff 0 tcp flags & (ack | rst) != 0 accept", host));
  r += drop_rule(t, "out", fmt::format("ip daddr @{}", host), "destination");
  // A frame that the bridge floods, because it has not learned where its guest is: no offence.
  rule(fmt::format("ip daddr {} drop", subnet.text()));
  return r;
}

void check_tap(int n) {
  if (n < 1 || n > most_tap) throw usage("invalid number of a tap {}", n);
}

void check(const Guest& g, bool by_tap_alone) {
  check_tap(g.tap);
  if (by_tap_alone && g.mac.empty() && g.address.empty()) return;
  if (!is_mac(g.mac)) throw usage("invalid MAC '{}'", g.mac);
  parse_address("address", g.address);
}

void leave(Rendered& r, const std::string& tag, const Guest& g) {
  std::string table = table_name(tag), tap = tap_name(tag, g.tap);
  r.absent.push_back(tap);
  if (g.address.empty()) return;
  // Deleting what is not there is an error, adding what is there is none.
  for (std::string_view verb : {"add", "delete"})
    r.rules += sender_elements(verb, table, tap, g.mac, g.address) +
               open_element(verb, table, tap) + way_elements(verb, tag, g.tap);
}

void join(Rendered& r, const std::string& tag, const Guest& g) {
  std::string table = table_name(tag), tap = tap_name(tag, g.tap);
  r.present.push_back(
      {.kind = Link::Kind::tap, .name = tap, .master = bridge_name(tag), .mtu = mtu});
  r.rules += sender_elements("add", table, tap, g.mac, g.address);
  if (g.host_open) r.rules += open_element("add", table, tap);
  if (g.own_way) r.rules += way_elements("add", tag, g.tap);
}

} // namespace

Rendered render(const NetPlan& plan) {
  if (!is_tag(plan.tag)) throw usage("invalid tag '{}'", plan.tag);
  Rendered r;
  if (plan.base != NetPlan::Base::as_is) {
    Address own = plan.subnet.bridge();
    r.present.push_back({Link::Kind::bridge,
                         bridge_name(plan.tag),
                         {},
                         mac_of(own),
                         fmt::format("{}/{}", to_text(own), plan.subnet.prefix())});
    if (plan.base == NetPlan::Base::anew) r.rules += table_rules(plan.tag);
    r.rules += tap_rules(table_name(plan.tag), plan.tag);
    r.rules += sent_rules(plan.tag);
    r.rules += taken_rules(plan.tag, plan.subnet);
    r.rules += guard_rules(plan.tag, plan.subnet);
  }
  if (plan.uplink || plan.base == NetPlan::Base::kept)
    r.present.push_back({.kind = Link::Kind::uplink,
                         .name = shared_way_name(plan.tag),
                         .master = bridge_name(plan.tag),
                         .optional = !plan.uplink});
  for (const Guest& g : plan.leave) {
    check(g, true);
    leave(r, plan.tag, g);
  }
  for (const Guest& g : plan.join) {
    check(g, false);
    join(r, plan.tag, g);
  }
  for (int n : plan.ways) {
    check_tap(n);
    r.present.push_back({.kind = Link::Kind::uplink,
                         .name = way_name(plan.tag, n),
                         .master = bridge_name(plan.tag),
                         .mtu = mtu});
  }
  return r;
}

std::string host_rules(const std::string& table, const std::vector<Prefix>& own) {
  std::string r = fmt::format("flush set bridge {} {}\n", table, host), list;
  for (const Prefix& p : merged(own)) list += (list.empty() ? "" : ", ") + to_text(p);
  if (!list.empty()) r += fmt::format("add element bridge {} {} {{ {} }}\n", table, host, list);
  return r;
}

} // namespace banger::net

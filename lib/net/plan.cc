#include "net/plan.h"

#include <fmt/format.h>

namespace banger::net {

namespace {

constexpr std::string_view macs = "macs", addresses = "addresses"; // who may send what
constexpr std::string_view host = "host", host_open = "host_open"; // the host's; who may go there

// What no guest sends out, whatever the host's addresses are: "this network", loopback, link-local,
// multicast, reserved and broadcast (RFC 6890).
constexpr std::string_view never_out = "{ 0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/3 }";

// "add rule bridge TABLE CHAIN MATCH, count by tap, drop".
std::string drop_rule(std::string_view table, std::string_view chain, std::string_view match,
                      std::string_view reason) {
  return fmt::format("add rule bridge {} {} {} update @{} {{ iifname }} drop\n", table, chain,
                     match, drop_set(reason));
}

std::string elements(std::string_view verb, std::string_view table, const Guest& g) {
  return fmt::format("{0} element bridge {1} {2} {{ \"{4}\" . {5} }}\n"
                     "{0} element bridge {1} {3} {{ \"{4}\" . {6} }}\n",
                     verb, table, macs, addresses, g.tap, g.mac, g.address);
}

std::string open_element(std::string_view verb, std::string_view table, const Guest& g) {
  return fmt::format("{} element bridge {} {} {{ \"{}\" }}\n", verb, table, host_open, g.tap);
}

std::string counter_set(std::string_view table, std::string_view reason) {
  return fmt::format(
      "add set bridge {} {} {{ type ifname; size 65535; flags dynamic; counter; }}\n", table,
      drop_set(reason));
}

} // namespace

std::string bridge_name(std::string_view tag) { return fmt::format("bng-{}", tag); }
std::string uplink_name(std::string_view tag) { return fmt::format("bng{}-up", tag); }
std::string tap_name(std::string_view tag, int n) { return fmt::format("bng{}-{}", tag, n); }
std::string table_name(std::string_view tag) { return fmt::format("banger_{}", tag); }
std::string drop_set(std::string_view reason) { return fmt::format("dropped_{}", reason); }

std::string to_text(const Forward& f) {
  return fmt::format("{}:{}/{} to {}:{}", f.port.host_address, f.port.host, f.port.proto, f.guest,
                     f.port.guest);
}

NetPlan bridge_plan(const std::string& tag, const Subnet& subnet) {
  Address own = subnet.bridge();
  return {{{Link::Kind::bridge,
            bridge_name(tag),
            {},
            mac_of(own),
            fmt::format("{}/{}", to_text(own), subnet.prefix())}},
          {},
          {}};
}

NetPlan base_plan(const std::string& tag, const Subnet& subnet) {
  NetPlan plan = bridge_plan(tag, subnet);
  std::string t = table_name(tag);
  std::string& r = plan.rules;
  // Replaced as a whole: of a table that a crash left half-made nothing stays.
  r += fmt::format("add table bridge {0}\ndelete table bridge {0}\nadd table bridge {0}\n", t);
  r += fmt::format("add set bridge {} {} {{ type ifname . ether_addr; }}\n", t, macs);
  r += fmt::format("add set bridge {} {} {{ type ifname . ipv4_addr; }}\n", t, addresses);
  for (std::string_view reason : drop_reasons) r += counter_set(t, reason);
  // Before the bridge learns: a frame that is dropped here moves no neighbour's MAC.
  r += fmt::format("add chain bridge {} sent {{ type filter hook prerouting priority -300; "
                   "policy accept; }}\n",
                   t);
  r += fmt::format("add chain bridge {0} outside\nadd chain bridge {0} guest\n", t);
  r += fmt::format("add rule bridge {} sent iifname \"{}\" goto outside\n", t, uplink_name(tag));
  r += fmt::format("add rule bridge {} sent goto guest\n", t);
  r += drop_rule(t, "outside", "udp sport 67", "dhcp");
  r += drop_rule(t, "guest", fmt::format("iifname . ether saddr != @{}", macs), "mac");
  r += drop_rule(t, "guest", "udp dport 67", "dhcp");
  r += drop_rule(t, "guest", "udp sport 67", "dhcp");
  r += drop_rule(t, "guest", fmt::format("ether type ip iifname . ip saddr != @{}", addresses),
                 "address");
  r += drop_rule(t, "guest", fmt::format("ether type arp iifname . arp saddr ether != @{}", macs),
                 "arp");
  r += drop_rule(t, "guest", fmt::format("ether type arp iifname . arp saddr ip != @{}", addresses),
                 "arp");
  // Every guest asks for IPv6 routers when it boots: that is not worth a count.
  r += fmt::format("add rule bridge {} guest ether type ip6 drop\n", t);
  r += drop_rule(t, "guest", "ether type != { ip, arp }", "other");
  // What the bridge itself takes; a broadcast comes here too, beside its way to all the others.
  r += fmt::format("add chain bridge {} taken {{ type filter hook input priority 0; "
                   "policy drop; }}\n",
                   t);
  std::string own = to_text(subnet.bridge());
  r += fmt::format("add rule bridge {} taken ether type arp accept\n", t);
  r += fmt::format("add rule bridge {} taken ip daddr {} ip protocol udp accept\n", t, own);
  r += fmt::format("add rule bridge {} taken ip daddr {} icmp type {{ echo-request, "
                   "destination-unreachable }} accept\n",
                   t, own);
  r += guard_plan(tag, subnet).rules;
  return plan;
}

NetPlan guard_plan(const std::string& tag, const Subnet& subnet) {
  std::string t = table_name(tag), way_out = to_text(subnet.way_out()),
              resolver = to_text(subnet.resolver());
  std::string r = counter_set(t, "destination");
  r += fmt::format("add set bridge {} {} {{ type ipv4_addr; flags interval; }}\n", t, host);
  r += fmt::format("add set bridge {} {} {{ type ifname; }}\n", t, host_open);
  r += fmt::format("add chain bridge {} out {{ type filter hook forward priority 0; "
                   "policy accept; }}\n"
                   "flush chain bridge {} out\n",
                   t, t);
  auto rule = [&](std::string_view text) {
    r += fmt::format("add rule bridge {} out {}\n", t, text);
  };
  rule(fmt::format("oifname != \"{}\" accept", uplink_name(tag)));
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
  // What a bridge sends everywhere, because it does not know yet where a guest is: no offence.
  rule(fmt::format("ip daddr {} drop", subnet.text()));
  return {{}, {}, r};
}

std::string host_rules(const std::string& table, const std::vector<Prefix>& own) {
  std::string r = fmt::format("flush set bridge {} {}\n", table, host), list;
  for (const Prefix& p : merged(own)) list += (list.empty() ? "" : ", ") + to_text(p);
  if (!list.empty()) r += fmt::format("add element bridge {} {} {{ {} }}\n", table, host, list);
  return r;
}

NetPlan uplink_plan(const std::string& tag) {
  return {{{Link::Kind::uplink, uplink_name(tag), bridge_name(tag)}}, {}, {}};
}

NetPlan join_plan(const std::string& tag, const Guest& guest) {
  std::string t = table_name(tag), rules = elements("add", t, guest);
  if (guest.host_open) rules += open_element("add", t, guest);
  return {{{Link::Kind::tap, guest.tap, bridge_name(tag)}}, {}, rules};
}

NetPlan leave_plan(const std::string& tag, const Guest& guest) {
  // Deleting what is not there is an error, adding what is there is none.
  std::string t = table_name(tag);
  std::string rules;
  for (std::string_view verb : {"add", "delete"})
    rules += elements(verb, t, guest) + open_element(verb, t, guest);
  return {{}, {guest.tap}, rules};
}

} // namespace banger::net

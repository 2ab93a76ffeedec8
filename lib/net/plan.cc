#include "net/plan.h"

#include <fmt/format.h>

namespace banger::net {

namespace {

constexpr std::string_view macs = "macs", addresses = "addresses";

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
  for (std::string_view reason : drop_reasons)
    r +=
        fmt::format("add set bridge {} {} {{ type ifname; size 65535; flags dynamic; counter; }}\n",
                    t, drop_set(reason));
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
  return plan;
}

NetPlan uplink_plan(const std::string& tag) {
  return {{{Link::Kind::uplink, uplink_name(tag), bridge_name(tag)}}, {}, {}};
}

NetPlan join_plan(const std::string& tag, const Guest& guest) {
  return {{{Link::Kind::tap, guest.tap, bridge_name(tag)}},
          {},
          elements("add", table_name(tag), guest)};
}

NetPlan leave_plan(const std::string& tag, const Guest& guest) {
  // Deleting what is not there is an error, adding what is there is none.
  std::string t = table_name(tag);
  return {{}, {guest.tap}, elements("add", t, guest) + elements("delete", t, guest)};
}

} // namespace banger::net

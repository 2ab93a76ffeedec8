#include "net/rule_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "net/plan.h"

namespace banger::net {

namespace {

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

} // namespace

std::string drop_rule(std::string_view table, std::string_view chain, std::string_view match,
                      std::string_view reason) {
  return fmt::format("add rule bridge {} {} {} update @{} {{ iifname }} drop\n", table, chain,
                     match, drop_set(reason));
}

std::string counter_set(std::string_view table, std::string_view reason) {
  return fmt::format(
      "add set bridge {} {} {{ type ifname; size 65535; flags dynamic; counter; }}\n", table,
      drop_set(reason));
}

std::string sender_sets(std::string_view table) {
  return fmt::format("add set bridge {0} {1} {{ type ifname . ether_addr; }}\n"
                     "add set bridge {0} {2} {{ type ifname . ipv4_addr; }}\n",
                     table, sent_macs, sent_addresses);
}

std::string sender_elements(std::string_view verb, std::string_view table, std::string_view tap,
                            std::string_view mac, std::string_view address) {
  return fmt::format("{0} element bridge {1} {2} {{ \"{4}\" . {5} }}\n"
                     "{0} element bridge {1} {3} {{ \"{4}\" . {6} }}\n",
                     verb, table, sent_macs, sent_addresses, tap, mac, address);
}

std::string guest_rules(std::string_view t) {
  std::string r;
  auto drop = [&](std::string_view match, std::string_view reason) {
    r += drop_rule(t, "guest", match, reason);
  };
  drop(fmt::format("iifname . ether saddr != @{}", sent_macs), "mac");
  drop("udp dport 67", "dhcp");
  drop("udp sport 67", "dhcp");
  drop(fmt::format("ether type ip iifname . ip saddr != @{}", sent_addresses), "address");
  drop(fmt::format("ether type arp iifname . arp saddr ether != @{}", sent_macs), "arp");
  drop(fmt::format("ether type arp iifname . arp saddr ip != @{}", sent_addresses), "arp");
  // Every guest asks for IPv6 routers when it boots: that is not worth a count.
  r += fmt::format("add rule bridge {} guest ether type ip6 drop\n", t);
  drop("ether type != { ip, arp }", "other");
  return r;
}

std::string receiver_rule(std::string_view table, std::string_view chain, std::string_view links) {
  return fmt::format("add rule bridge {} {} {}{}ether daddr & 01:00:00:00:00:00 == "
                     "00:00:00:00:00:00 oifname . ether daddr != @{} drop\n",
                     table, chain, links, links.empty() ? "" : " ", sent_macs);
}

std::string tap_rules(std::string_view table, std::string_view tag) {
  return fmt::format("add table inet {0}\n"
                     "add chain inet {0} taps {{ type filter hook prerouting priority -400; "
                     "policy accept; }}\n"
                     "flush chain inet {0} taps\n"
                     "add rule inet {0} taps iifname \"bng{1}-*\" drop\n",
                     table, tag);
}

std::string names_rules(std::string_view table, std::string_view links) {
  return fmt::format("add set bridge {0} asking {{ type ifname; size 65535; "
                     "flags dynamic,timeout; timeout 10s; }}\n"
                     "add chain bridge {0} names {{ type filter hook input priority -10; "
                     "policy accept; }}\n"
                     "flush chain bridge {0} names\n"
                     "add rule bridge {0} names {1}{2}udp dport 53 update @asking "
                     "{{ iifname limit rate over 2000/second burst 1000 packets }} drop\n",
                     table, links, links.empty() ? "" : " ");
}

bool is_tag(std::string_view tag) {
  return tag.size() == 4 && std::all_of(tag.begin(), tag.end(), is_hex);
}

bool is_mac(std::string_view mac) {
  if (mac.size() != 17) return false;
  for (size_t i = 0; i < mac.size(); i++)
    if (i % 3 == 2 ? mac[i] != ':' : !is_hex(mac[i])) return false;
  return true;
}

} // namespace banger::net

#include "net/bridge_render.h"

#include <charconv>

#include <fmt/format.h>

#include "model/port.h"
#include "net/link_guard.h"
#include "net/plan.h"
#include "net/rule_text.h"

namespace banger::net {

namespace {

constexpr unsigned groups = 0x62000000; // of banger's links: none of them is what others choose

std::string taps_of(const std::string& tag) { return fmt::format("\"bng{}-*\"", tag); }

class Script {
public:
  explicit Script(const std::string& tag) : table_(table_name(tag)) {}

  void chain(std::string_view family, std::string_view name, std::string_view hook = {}) {
    text_ += fmt::format("add chain {} {} {}", family, table_, name);
    if (!hook.empty()) text_ += fmt::format(" {{ type {}; policy accept; }}", hook);
    text_ += '\n';
  }
  void rule(std::string_view chain, std::string_view text) {
    text_ += fmt::format("add rule inet {} {} {}\n", table_, chain, text);
  }
  void rule_of_frames(std::string_view chain, std::string_view text) {
    text_ += fmt::format("add rule bridge {} {} {}\n", table_, chain, text);
  }
  void set(std::string_view kind, std::string_view name, std::string_view type) {
    text_ += fmt::format("add {} inet {} {} {{ {} }}\n", kind, table_, name, type);
  }
  void add(std::string_view text) { text_ += text; }
  const std::string& table() const { return table_; }
  std::string take() { return std::move(text_); }

private:
  std::string table_, text_;
};

void add_frames(Script& s, const std::string& tag) {
  const std::string taps = taps_of(tag);
  s.add(sender_sets(s.table()));
  for (std::string_view reason : drop_reasons)
    if (reason != "destination") s.add(counter_set(s.table(), reason));
  s.chain("bridge", "guest");
  s.chain("bridge", "sent", "filter hook prerouting priority -300");
  s.rule_of_frames("sent", from_taps(tag) + " goto guest");
  s.add(guest_rules(s.table()));
  s.chain("bridge", "out", "filter hook forward priority 0");
  // A guest's frame that the bridge does not know a way for goes to taps of this bridge alone.
  s.add(receiver_rule(s.table(), "out", fmt::format("oifname {}", taps)));
  s.chain("bridge", "up", "filter hook output priority 0");
  s.add(receiver_rule(s.table(), "up", fmt::format("oifname {}", taps)));
  // The last of all that a frame passes on its way in (net/link_guard.h).
  s.chain("bridge", stamps, "filter hook input priority 1000");
  s.rule_of_frames(stamps, fmt::format("{} ether daddr set {}", from_taps(tag), stamp_mac));
}

// What is for the host itself.
void add_input(Script& s, const Bridge& b) {
  const std::string bridge = bridge_name(b.tag), own = to_text(b.subnet.bridge());
  s.chain("inet", "input", "filter hook input priority 0");
  auto rule = [&](std::string_view text) { s.rule("input", text); };
  rule(fmt::format("iifname != \"{}\" accept", bridge));
  rule("ct state established,related accept");
  rule("ip daddr 127.0.0.0/8 drop"); // the bridge routes what is from loopback (route_localnet)
  rule(fmt::format("ip daddr {} icmp type echo-request accept", own));
  for (std::string_view proto : {"udp", "tcp"})
    rule(fmt::format("ip daddr {} {} dport 53 accept", own, proto));
  rule("ip saddr @host_open accept");
  rule("meta nfproto ipv4 update @dropped_destination { ip saddr } drop");
  rule("drop");
}

void add_forward(Script& s, const Bridge& b) {
  const std::string bridge = bridge_name(b.tag);
  s.chain("inet", "out");
  s.chain("inet", "in");
  s.chain("inet", "forward", "filter hook forward priority 0");
  auto rule = [&](std::string_view text) { s.rule("forward", text); };
  // Frames between guests come here where a kernel shows them (br_netfilter).
  rule(fmt::format("iifname \"{0}\" oifname \"{0}\" accept", bridge));
  rule(fmt::format("iifname \"{}\" jump out", bridge));
  rule(fmt::format("oifname \"{}\" jump in", bridge));
  // An uplink that did not forward before forwards to bridges of banger's, and what an uplink that
  // is a bridge itself passes on between its ports; and answers, for others may forward, too.
  rule("ct state established,related accept");
  rule("iifname . oifname @within accept");
  rule("meta nfproto ipv4 iifname @opened oifname != \"bng-*\" drop");
  s.rule("out", "ct state established,related accept");
  s.rule("out",
         fmt::format("ip daddr {} update @dropped_destination {{ ip saddr }} drop", never_out));
  s.rule("out", "ip saddr @nat oifname @uplinks accept");
  s.rule("out", "meta nfproto ipv4 update @dropped_destination { ip saddr } drop");
  s.rule("out", "drop");
  s.rule("in", "ct state established,related accept");
  s.rule("in", "ct status dnat accept");
  s.rule("in", "iifname @uplinks accept");
  s.rule("in", "drop");
}

void add_nat(Script& s, const Bridge& b) {
  const std::string bridge = bridge_name(b.tag);
  s.chain("inet", "published");
  s.rule("published", "dnat ip to ip protocol . ip daddr . th dport map @ports_own");
  // Not what is for many, and not an address that the host has no more.
  s.rule("published", "fib daddr type != local return");
  s.rule("published", "dnat ip to ip protocol . ip daddr . th dport map @ports");
  s.rule("published", "dnat ip to ip protocol . th dport map @ports_everywhere");
  s.chain("inet", "came", "nat hook prerouting priority -100");
  s.rule("came", fmt::format("iifname \"{}\" return", bridge));
  s.rule("came", "meta l4proto { tcp, udp } jump published");
  s.chain("inet", "begun", "nat hook output priority -100");
  s.rule("begun", "meta l4proto { tcp, udp } jump published");
  s.chain("inet", "leaves", "nat hook postrouting priority 100");
  s.rule("leaves", fmt::format("iifname \"{}\" ip saddr @nat oifname @uplinks masquerade", bridge));
  // A client at the host's loopback, whom no guest could answer.
  s.rule("leaves", fmt::format("oifname \"{}\" ip saddr 127.0.0.0/8 masquerade", bridge));
}

std::string element(std::string_view verb, std::string_view table, std::string_view set,
                    std::string_view what) {
  return fmt::format("{} element inet {} {} {{ {} }}\n", verb, table, set, what);
}

} // namespace

namespace {

unsigned nth_group(unsigned which, std::string_view tag) {
  unsigned n = 0;
  std::from_chars(tag.data(), tag.data() + tag.size(), n, 16);
  return groups | which << 16 | n;
}

} // namespace

unsigned group_of(std::string_view tag) { return nth_group(0, tag); }
unsigned going_group_of(std::string_view tag) { return nth_group(1, tag); }
unsigned bridge_group_of(std::string_view tag) { return nth_group(2, tag); }

Link bridge_link(const Bridge& b) {
  Address own = b.subnet.bridge();
  return {.kind = Link::Kind::bridge,
          .name = bridge_name(b.tag),
          .mac = mac_of(own),
          .address = fmt::format("{}/{}", to_text(own), b.subnet.prefix()),
          .group = bridge_group_of(b.tag),
          .mute = true};
}

Link tap_link(const Bridge& b, int tap, unsigned owner) {
  return {.kind = Link::Kind::tap,
          .name = tap_name(b.tag, tap),
          .master = bridge_name(b.tag),
          .owner = owner,
          .group = group_of(b.tag),
          .mute = true};
}

std::string from_taps(const std::string& tag) { return fmt::format("iifname {}", taps_of(tag)); }

std::string no_rules(const std::string& tag) {
  std::string r, t = table_name(tag);
  // Deleting what is not there is an error, adding what is there is none.
  for (std::string_view family : {"bridge", "inet"})
    r += fmt::format("add table {0} {1}\ndelete table {0} {1}\n", family, t);
  return r;
}

std::string bridge_rules(const Bridge& b) {
  Script s(b.tag);
  s.add(no_rules(b.tag));
  for (std::string_view family : {"bridge", "inet"})
    s.add(fmt::format("add table {} {}\n", family, s.table()));
  s.add(tap_rules(s.table(), b.tag));
  add_frames(s, b.tag);
  s.set("set", "uplinks", "type ifname;");
  s.set("set", "opened", "type ifname;");
  s.set("set", "nat", "type ipv4_addr; counter;");
  s.set("set", "host_open", "type ipv4_addr;");
  s.set("set", "dropped_destination", "type ipv4_addr; size 65535; flags dynamic; counter;");
  s.set("map", "ports", "type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service;");
  s.set("map", "ports_own",
        "type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service;");
  s.set("set", "within", "type ifname . ifname;");
  s.set("map", "ports_everywhere", "type inet_proto . inet_service : ipv4_addr . inet_service;");
  add_input(s, b);
  add_forward(s, b);
  add_nat(s, b);
  s.add(uplink_rules(b));
  for (const auto& [tap, guest] : b.guests) s.add(guest_elements("add", b.tag, guest));
  return s.take();
}

std::string uplink_rules(const Bridge& b) {
  const std::string t = table_name(b.tag);
  std::string r = fmt::format("flush set inet {0} uplinks\nflush set inet {0} opened\n"
                              "flush set inet {0} within\n",
                              t);
  for (const Uplink& u : b.uplinks) {
    if (u.leads_out) r += element("add", t, "uplinks", fmt::format("\"{}\"", u.name));
    if (u.forwarded) continue;
    r += element("add", t, "opened", fmt::format("\"{}\"", u.name));
    r += element("add", t, "within", fmt::format("\"{0}\" . \"{0}\"", u.name));
  }
  return r;
}

std::string guest_elements(std::string_view verb, const std::string& tag, const BridgeGuest& g) {
  const std::string t = table_name(tag);
  std::string r = sender_elements(verb, t, tap_name(tag, g.tap),
                                  mac_of(parse_address("address", g.address)), g.address);
  if (g.nat) r += element(verb, t, "nat", g.address);
  if (g.host_open) r += element(verb, t, "host_open", g.address);
  for (const Port& p : g.ports) {
    bool all = p.host_address == everywhere, own = p.host_address == g.address;
    std::string key = all ? fmt::format("{} . {}", p.proto, p.host)
                          : fmt::format("{} . {} . {}", p.proto, p.host_address, p.host);
    r += element(verb, t,
                 all   ? "ports_everywhere"
                 : own ? "ports_own"
                       : "ports",
                 fmt::format("{} : {} . {}", key, g.address, p.guest));
  }
  return r;
}

} // namespace banger::net

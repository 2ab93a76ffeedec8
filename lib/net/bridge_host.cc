#include "net/bridge_host.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "model/port.h"
#include "net/bridge_render.h"
#include "net/firewalls.h"
#include "net/plan.h"
#include "net/rule_changes.h"
#include "net/rule_generation.h"
#include "net/rule_text.h"
#include "net/sysctl.h"
#include "sys/datagram.h"
#include "sys/file.h"
#include "sys/inet.h"
#include "sys/listen.h"

namespace banger::net {

namespace {

constexpr int dns_port = 53;
constexpr size_t most_path = 4096;

Error no_guest(int tap) { return conflict("no VM is at tap {}", tap); }

} // namespace

std::optional<RegisteredBridge> BridgeHost::find(const std::string& tag) {
  if (!is_tag(tag)) throw usage("invalid tag '{}'", tag);
  auto entry = registry_.find(tag);
  if (entry && uid_ != 0 && entry->uid != uid_)
    throw conflict("the bridge '{}' belongs to another user of this host", bridge_name(tag))
        .hint("a state gets another tag where it is made anew");
  return entry;
}

RegisteredBridge BridgeHost::get(const std::string& tag) {
  if (auto entry = find(tag)) return std::move(*entry);
  throw not_found("the network 'bridge' is down").hint("banger net up");
}

std::string BridgeHost::for_users() const {
  std::string all;
  for (const Prefix& range : limits_.subnets) all += (all.empty() ? "" : " or ") + to_text(range);
  return all;
}

void BridgeHost::check_subnet(const RegisteredBridge& entry) {
  const Subnet& subnet = entry.bridge.subnet;
  if (uid_ != 0 && !is_in(subnet, limits_.subnets))
    throw preflight("the subnet {} is root's to take: this host may reach it another way",
                    subnet.text())
        .hint(fmt::format("banger net up takes a free one of {}", for_users()));
  if (!is_private(subnet))
    throw usage("invalid subnet '{}': its addresses may be somebody's on the internet",
                subnet.text())
        .hint("10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 and 100.64.0.0/10 are nobody's");
  for (const Prefix& p : links_.routed(bridge_name(entry.bridge.tag)))
    if (overlap(p, subnet.as_prefix()))
      throw conflict("cannot take the subnet {}: this host has a route to {}", subnet.text(),
                     to_text(p))
          .subject(subnet.text())
          .hint("banger net up --subnet SUBNET takes another, banger net up a free one");
  for (const Prefix& p : needed(entry.bridge.tag))
    if (overlap(p, subnet.as_prefix()))
      throw conflict("cannot take the subnet {}: this host needs {}, or another bridge has it",
                     subnet.text(), to_text(p))
          .subject(subnet.text())
          .hint("banger net up --subnet SUBNET takes another, banger net up a free one");
}

// The host's name servers and gateways, and other bridges' subnets, also where a link is not there
// now.
std::vector<Prefix> BridgeHost::needed(const std::string& tag) {
  std::vector<Prefix> all;
  for (Address gateway : links_.gateways()) all.push_back({gateway, 32});
  for (const std::string& line : split(sys::find_content("/etc/resolv.conf").value_or(""), '\n')) {
    std::vector<std::string> words = split(line, ' ');
    if (words.size() < 2 || words[0] != "nameserver") continue;
    try {
      all.push_back({parse_address("address", words[1]), 32});
    } catch (const Error&) { // of IPv6
    }
  }
  for (const RegisteredBridge& other : registry_.others(tag))
    all.push_back(other.bridge.subnet.as_prefix());
  return all;
}

// Before any rule is listed or changed.
void BridgeHost::look_back(const RegisteredBridge& entry) {
  generation_ = rule_generation();
  applied_ = rules_.applied();
  since_ = known_since(entry, {}, generation_);
  if (since_ == 0) since_ = known_since(entry, registry_.others(entry.bridge.tag), generation_);
}

// The link's own identity is its name: it follows from the tag, which is the user's.
// Its rules are looked at, too: somebody's flush of a table leaves that and its chains. They are
// listed only where somebody else has changed any of the host's since: that takes milliseconds.
bool BridgeHost::is_whole(const RegisteredBridge& entry) {
  look_back(entry);
  if (entry.version != bridge_version || !link_faults(entry, links_).empty()) return false;
  if (since_ != 0) return true;
  const ListedTables tables = list_tables(entry.bridge.tag, rules_);
  return thin_tables(entry.bridge, tables).empty() && changed_tables(entry, tables).empty();
}

// The generation now, where all changes since look_back() are ours.
uint32_t BridgeHost::all_ours() const {
  const uint32_t expected = generation_ + (rules_.applied() - applied_);
  return generation_ != 0 && rule_generation() == expected ? expected : 0;
}

void BridgeHost::finished(RegisteredBridge& entry) {
  entry.version = bridge_version;
  entry.known = {};
  if (const uint32_t now = all_ours()) entry.known = {since_ != 0 ? since_ : generation_, now};
  registry_.write(entry);
}

// With a port at the host's loopback alone: where neither a rule nor the guard forbids it, guests
// reach what that routes.
void BridgeHost::route_loopback(const Bridge& b) {
  bool needed = false;
  for (const auto& [tap, guest] : b.guests)
    for (const Port& p : guest.ports)
      needed = needed || p.host_address.starts_with("127.") || p.host_address == everywhere;
  turn(sysctl_of(bridge_name(b.tag), "route_localnet"), needed);
}

// A firewall that cannot be passed keeps no VM from starting. Where the rules of nftables are as
// the helper left them, all that can be passed there is.
void BridgeHost::pass_firewalls(RegisteredBridge& entry) {
  const std::string bridge = bridge_name(entry.bridge.tag);
  Firewalls firewalls(rules_);
  for (const Pass& pass : since_ != 0 ? firewalls.find_legacy() : firewalls.find()) {
    auto& known = entry.bridge.passes;
    if (std::ranges::count(known, pass) == 0) {
      known.push_back(pass);
      registry_.write(entry);
    }
    try {
      firewalls.open(pass, bridge);
    } catch (const Error& e) {
      generation_ = 0; // to be tried again
      warnings_.push_back(
          fmt::format("{} does not let '{}' pass: {}", name_of(pass.way), bridge, e.what()));
    }
  }
}

void BridgeHost::make(RegisteredBridge& entry) {
  const Bridge& b = entry.bridge;
  entry.version = 0;
  registry_.write(entry);
  uplinks_.find(entry, since_ == 0);
  // Rules first: without them nothing may be forwarded.
  rules_.apply(bridge_rules(b));
  links_.ensure(bridge_link(b));
  entry.unguarded = false;
  try {
    links_.guard(bridge_name(b.tag));
  } catch (const Error& e) { // the rules are there all the same
    entry.unguarded = true;
    warnings_.push_back(fmt::format("whoever flushes all rules of this host opens '{}': {}",
                                    bridge_name(b.tag), e.what()));
  }
  turn(sysctl_of(bridge_name(b.tag), "forwarding"), true);
  route_loopback(b);
  for (const Uplink& u : b.uplinks) turn(sysctl_of(u.name, "forwarding"), true);
  try {
    rules_.apply(names_rules(table_name(b.tag), from_taps(b.tag)));
  } catch (const Error& e) { // names are there all the same
    warnings_.push_back(fmt::format("guests ask for names without a limit: {}", e.what()));
  }
  for (const auto& [tap, guest] : b.guests) links_.ensure(tap_link(b, tap, entry.uid));
  entry.prints = prints_of(list_tables(b.tag, rules_));
  if (!all_ours()) entry.prints = {}; // another may have changed them before the look
  pass_firewalls(entry);
  finished(entry);
}

Bridge BridgeHost::up(const std::string& tag, const std::optional<Subnet>& subnet,
                      const std::string& state) {
  if (state.size() > most_path) throw usage("invalid directory of a state");
  auto held = registry_.lock();
  auto entry = find(tag);
  const bool is_new = !entry;
  if (is_new) {
    size_t own = 0;
    for (const RegisteredBridge& other : registry_.all()) own += other.uid == uid_ ? 1 : 0;
    if (uid_ != 0 && own >= limits_.bridges)
      throw conflict("cannot make a bridge: this user has {} already", own);
    entry = RegisteredBridge{.uid = uid_, .bridge = {.tag = tag}};
    if (!subnet) {
      std::vector<Prefix> used = links_.routed(bridge_name(tag));
      for (const Prefix& p : needed(tag)) used.push_back(p);
      auto chosen = choose_subnet(tag, used, limits_.subnets);
      if (!chosen)
        throw conflict("no subnet of {} is free", for_users())
            .hint("banger net up --subnet SUBNET, as root");
      entry->bridge.subnet = *chosen;
    }
  }
  if (!state.empty()) entry->state = state;
  if (subnet && *subnet != entry->bridge.subnet) {
    if (!entry->bridge.guests.empty())
      throw conflict("cannot take the subnet {}: VMs that run have addresses of {}", subnet->text(),
                     entry->bridge.subnet.text());
    entry->bridge.subnet = *subnet;
    check_subnet(*entry);
    links_.remove(bridge_name(tag)); // with its address
    entry->version = 0;
  } else if (is_new || !links_.is_local(entry->bridge.subnet.bridge(), bridge_name(tag))) {
    check_subnet(*entry); // what is there is made whole, whoever has come into its subnet since
  }
  look_back(*entry);
  try {
    make(*entry);
  } catch (const Error&) {
    if (is_new) take_away(*entry);
    throw;
  }
  return entry->bridge;
}

void BridgeHost::check_guest(const RegisteredBridge& entry, const BridgeGuest& g) {
  const Bridge& b = entry.bridge;
  check(b, g, uid_ == 0, uid_ == 0 ? BridgeLimits().guests : limits_.guests);
  auto had = b.guests.find(g.tap);
  auto is_open = [&](const Port& p) {
    return had != b.guests.end() && std::ranges::count(had->second.ports, p) > 0;
  };
  size_t ports = g.ports.size();
  for (const auto& [tap, other] : b.guests) ports += tap == g.tap ? 0 : other.ports.size();
  if (ports > (uid_ == 0 ? BridgeLimits().ports : limits_.ports))
    throw conflict("cannot publish more: the bridge has {} ports", ports);
  std::vector<RegisteredBridge> all;
  for (const Port& p : g.ports) {
    if (is_open(p) || p.host_address == g.address) continue; // nobody else's
    if (all.empty()) all = registry_.all();
    if (p.host_address != everywhere && !links_.is_local(parse_address("address", p.host_address)))
      throw conflict("cannot publish {}:{}: it is no address of this host", p.host_address, p.host);
    for (const RegisteredBridge& other : all)
      for (const auto& [tap, theirs] : other.bridge.guests)
        for (const Port& taken : theirs.ports)
          if (!(other.bridge.tag == b.tag && tap == g.tap) && overlap(taken, p) &&
              taken.host_address != theirs.address)
            throw conflict("cannot publish {}:{}: another VM has it", p.host_address, p.host);
    bool free = p.proto == "tcp" ? sys::can_bind_tcp(p.host_address, p.host)
                                 : sys::can_bind_udp(p.host_address, p.host);
    if (!free)
      throw conflict("cannot publish {}:{}: another program has it", p.host_address, p.host);
  }
}

// One transaction. Until it has ended the entry is not whole: after a death in between, the next
// call makes all of it from the entry. So is it where the tables are gone, or lack something (`nft
// flush ruleset`).
void BridgeHost::change(RegisteredBridge& entry, int tap, const BridgeGuest& guest) {
  Bridge& b = entry.bridge;
  bool whole = is_whole(entry);
  std::string script;
  auto had = b.guests.find(tap);
  if (had != b.guests.end()) script = guest_elements("delete", b.tag, had->second);
  script += guest_elements("add", b.tag, guest);
  b.guests[tap] = guest;
  entry.version = 0;
  registry_.write(entry);
  if (!whole) return make(entry);
  if (uplinks_.follow(entry, since_ == 0)) script += uplink_rules(b);
  links_.ensure(tap_link(b, tap, entry.uid));
  pass_firewalls(entry);
  finish(entry, script);
}

void BridgeHost::finish(RegisteredBridge& entry, const std::string& script) {
  try {
    rules_.apply(script);
  } catch (const Error&) {
    return make(entry);
  }
  route_loopback(entry.bridge);
  finished(entry);
}

void BridgeHost::join(const std::string& tag, const BridgeGuest& guest) {
  auto held = registry_.lock();
  RegisteredBridge entry = get(tag);
  check_guest(entry, guest);
  change(entry, guest.tap, guest);
}

// However many, in one request to the kernel and one transaction. Their names stay in the entry
// until the links have gone.
void BridgeHost::leave(const std::string& tag, const std::vector<int>& taps) {
  auto held = registry_.lock();
  auto entry = find(tag);
  if (!entry) return;
  Bridge& b = entry->bridge;
  bool whole = is_whole(*entry);
  std::vector<std::string> names;
  std::string script;
  for (int tap : taps)
    if (auto had = b.guests.find(tap); had != b.guests.end()) {
      names.push_back(tap_name(tag, tap));
      script += guest_elements("delete", tag, had->second);
    }
  links_.remove_all(names, going_group_of(tag));
  for (int tap : taps) b.guests.erase(tap);
  // An earlier one that died in between has left its elements.
  if (entry->version == bridge_version && names.empty()) return;
  entry->version = 0;
  registry_.write(*entry);
  if (!whole) return make(*entry);
  if (uplinks_.follow(*entry, since_ == 0)) script += uplink_rules(b);
  finish(*entry, script);
}

void BridgeHost::publish(const std::string& tag, int tap, const Port& port, bool on) {
  amend(tag, tap, [&](BridgeGuest& guest) {
    std::erase(guest.ports, port);
    if (on) guest.ports.push_back(port);
  });
}

void BridgeHost::nat(const std::string& tag, int tap, bool on) {
  amend(tag, tap, [&](BridgeGuest& guest) { guest.nat = on; });
}

void BridgeHost::amend(const std::string& tag, int tap,
                       const std::function<void(BridgeGuest&)>& how) {
  auto held = registry_.lock();
  RegisteredBridge entry = get(tag);
  auto found = entry.bridge.guests.find(tap);
  if (found == entry.bridge.guests.end()) throw no_guest(tap);
  BridgeGuest guest = found->second;
  how(guest);
  if (guest == found->second) return;
  if (guest.ports != found->second.ports) check_guest(entry, guest);
  change(entry, tap, guest);
}

void BridgeHost::down(const std::string& tag) {
  auto held = registry_.lock();
  if (auto entry = find(tag)) take_away(*entry);
}

void BridgeHost::take_away(const RegisteredBridge& entry) {
  const std::string& tag = entry.bridge.tag;
  for (const Pass& pass : entry.bridge.passes) {
    try {
      Firewalls(rules_).close(pass, bridge_name(tag));
    } catch (const Error& e) {
      warnings_.push_back(fmt::format("{} keeps a rule for '{}': {}", name_of(pass.way),
                                      bridge_name(tag), e.what()));
    }
  }
  for (unsigned group : {group_of(tag), going_group_of(tag)}) links_.remove_group(group);
  links_.remove(bridge_name(tag));
  for (const Uplink& u : entry.bridge.uplinks) uplinks_.give_back(u, tag);
  rules_.apply(no_rules(tag)); // last: until then nothing more is forwarded than with it
  registry_.remove(tag);
}

int BridgeHost::link_of(const std::string& tag) const { return links_.index_of(bridge_name(tag)); }

Fd BridgeHost::name_socket(const std::string& tag, const std::string& proto) {
  // At the link: it hears no stranger on the LAN, and one of a bridge that went hears nothing.
  std::string address = to_text(get(tag).bridge.subnet.bridge());
  if (proto == "udp") return sys::bind_udp(address, dns_port, bridge_name(tag));
  if (proto == "tcp") return sys::listen_tcp(address, dns_port, bridge_name(tag));
  throw usage("invalid protocol '{}'", proto);
}

std::unique_ptr<FlowWatch> BridgeHost::watch(const std::string& tag, int tap, const Port& to) {
  if (!get(tag).bridge.guests.contains(tap)) throw no_guest(tap);
  return std::make_unique<FlowWatch>(tag, tap, to);
}

BridgeHost::Seen BridgeHost::look(const std::string& tag) {
  auto entry = find(tag);
  if (!entry) return {};
  const ListedTables tables = list_tables(tag, rules_);
  Seen seen{entry->version == bridge_version && link_of(tag) != 0, ways_out(entry->bridge),
            read_counts(tables.frames, tables.packets, tag), link_faults(*entry, links_),
            tap_numbers(entry->bridge)};
  for (const auto& some :
       {rule_faults(*entry, tables, links_, rules_), other_faults(*entry, links_)})
    seen.faults.insert(seen.faults.end(), some.begin(), some.end());
  return seen;
}

std::vector<BridgeFault> BridgeHost::mend(const std::string& tag) {
  auto held = registry_.lock();
  RegisteredBridge entry = get(tag);
  look_back(entry);
  std::vector<BridgeFault> faults = rule_faults(entry, list_tables(tag, rules_), links_, rules_);
  if (entry.version != bridge_version || !faults.empty()) make(entry);
  return faults;
}

Fd BridgeHost::rule_changes(const std::string& tag) {
  get(tag);
  return open_rule_changes();
}

BridgeTraces BridgeHost::find_traces(const std::string& tag) {
  auto held = registry_.lock();
  auto entry = find(tag);
  BridgeTraces traces;
  traces.objects = traces_of(tag, entry, links_, rules_);
  for (RegisteredBridge& other : registry_.all())
    if (uid_ == 0 || other.uid == uid_)
      traces.bridges.push_back({std::move(other.bridge.tag), std::move(other.state)});
  return traces;
}

void BridgeHost::sweep(const std::string& tag) {
  auto held = registry_.lock();
  auto entry = find(tag);
  if (!entry && uid_ != 0 && has_tap_of_another(tag, uid_, links_))
    throw conflict("the bridge '{}' has a tap of another user of this host", bridge_name(tag));
  std::vector<std::string> opened;
  if (!entry) opened = opened_uplinks(tag, rules_);
  for (const std::string& name : opened) uplinks_.give_back({name, false}, tag);
  remove_traces(tag, entry, links_, rules_);
}

} // namespace banger::net

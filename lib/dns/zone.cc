#include "dns/zone.h"

#include <optional>

#include <fmt/format.h>

#include "model/zone.h"

namespace banger::dns {

namespace {

// Types that no record has (RFC 6895): a question with such a type asks for something else.
std::optional<Rcode> refusal_of(Type type) {
  auto number = static_cast<uint16_t>(type);
  switch (number) {
  case 251: // IXFR
  case 252: // AXFR
    return Rcode::refused;
  case 253: // MAILB
  case 254: // MAILA
    return Rcode::notimp;
  case 0:
  case static_cast<uint16_t>(Type::opt):
    return Rcode::formerr;
  default:
    if (number >= 128 && number < 255) return Rcode::formerr;
    return {};
  }
}

} // namespace

std::string to_text(Type type) {
  switch (type) {
  case Type::a:
    return "A";
  case Type::ns:
    return "NS";
  case Type::soa:
    return "SOA";
  case Type::ptr:
    return "PTR";
  case Type::aaaa:
    return "AAAA";
  case Type::opt:
    return "OPT";
  case Type::any:
    return "ANY";
  }
  return fmt::format("TYPE{}", static_cast<int>(type));
}

std::string to_text(Rcode rcode) {
  switch (rcode) {
  case Rcode::noerror:
    return "NOERROR";
  case Rcode::formerr:
    return "FORMERR";
  case Rcode::servfail:
    return "SERVFAIL";
  case Rcode::nxdomain:
    return "NXDOMAIN";
  case Rcode::notimp:
    return "NOTIMP";
  case Rcode::refused:
    return "REFUSED";
  case Rcode::badvers:
    return "BADVERS";
  }
  return fmt::format("RCODE{}", static_cast<int>(rcode));
}

Zone::Zone(const std::string& name, std::chrono::seconds ttl, uint32_t serial,
           const std::vector<Host>& hosts, const std::optional<GuestNetwork>& network) {
  records_.reserve(2 + 4 * hosts.size());
  auto seconds = static_cast<uint32_t>(ttl.count());
  const Record* soa = add_apex(parse_name(name), ttl, serial).soa;
  for (const Host& host : hosts) {
    Name full = parse_name(full_name(host.name, name)), reverse = reverse_name(host.address);
    if (nodes_.contains(full) || nodes_.contains(reverse)) continue;
    nodes_[full] = {{add({full, Type::a, seconds, host.address})}, soa, true};
    auto& records = add_apex(reverse, ttl, serial).records;
    records.insert(records.begin(), add({reverse, Type::ptr, seconds, full}));
    hosts_++;
  }
  if (!network) return;
  network_ = network->subnet;
  is_known_ = network->is_known;
  for (const Host& guest : network->guests) guests_.emplace(guest.address, guest.name);
}

const Record* Zone::add(Record record) {
  records_.push_back(std::move(record));
  return &records_.back();
}

Zone::Node& Zone::add_apex(const Name& name, std::chrono::seconds ttl, uint32_t serial) {
  auto seconds = static_cast<uint32_t>(ttl.count());
  Node& node = nodes_[name];
  node.soa = add({name, Type::soa, seconds, Soa{serial}});
  node.records = {node.soa, add({name, Type::ns, seconds, name})};
  return node;
}

// A guest's question for a name that is not the zone's. A policy for guests has its place here.
Zone::Decision Zone::outside(const std::string&, std::string_view name, Type type) const {
  constexpr Decision relay{.relay = true}, none{.rcode = Rcode::nxdomain};
  // A lone label is a machine's name, such as that of a VM that does not run. Other types are
  // relayed: a question for the root or for a top-level zone's servers tells nothing of this host.
  bool is_lone = name.size() > 1 && 2 + static_cast<size_t>(name[0]) == name.size();
  if (is_lone && (type == Type::a || type == Type::aaaa || type == Type::any)) return none;
  auto addresses = reversed(name);
  if (!addresses) return relay;
  // The host's names of loopback addresses are for no guest, and for no other resolver to tell.
  constexpr uint32_t loopback = 127;
  if (addresses->address.value >> 24 == loopback) return none;
  bool ours = addresses->length >= network_->prefix() && network_->contains(addresses->address);
  return ours ? none : relay;
}

Zone::Decision Zone::decide(std::string_view name, Type type, Class klass, Address asker) const {
  Decision d = decide_known(name, type, klass, asker);
  return is_known_ || d.relay ? d : Decision{.rcode = Rcode::servfail};
}

Zone::Decision Zone::decide_known(std::string_view name, Type type, Class klass,
                                  Address asker) const {
  auto guest = guests_.find(asker);
  if (network_ && guest == guests_.end()) return {.rcode = Rcode::refused};
  if (klass != Class::in) return {.rcode = Rcode::refused};
  if (auto refusal = refusal_of(type)) return {.rcode = *refusal};
  // The nearest node: at the name itself or above it.
  auto found = nodes_.find(name);
  bool exact = found != nodes_.end();
  for (std::string_view rest = name; found == nodes_.end() && rest.size() > 1;) {
    rest.remove_prefix(1 + static_cast<unsigned char>(rest[0]));
    found = nodes_.find(rest);
  }
  if (found == nodes_.end())
    return network_ ? outside(guest->second, name, type) : Decision{.rcode = Rcode::refused};
  const Node& node = found->second;
  if (!exact && !node.whole)
    return {.rcode = Rcode::nxdomain, .authoritative = true, .authority = node.soa};
  for (const Record* record : node.records)
    if (record->type == type || type == Type::any) return {.authoritative = true, .answer = record};
  return {.authoritative = true, .authority = node.soa};
}

} // namespace banger::dns

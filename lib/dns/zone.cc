#include "dns/zone.h"

#include <optional>

#include <fmt/format.h>

#include "model/zone.h"

namespace banger::dns {

namespace {

// Types that no record has (RFC 6895): what is asked with them is no question of records.
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
           const std::vector<Host>& hosts) {
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

Zone::Decision Zone::decide(std::string_view name, Type type, Class klass) const {
  if (klass != Class::in) return {.rcode = Rcode::refused};
  if (auto refusal = refusal_of(type)) return {.rcode = *refusal};
  // The nearest that stands at the name or above it.
  auto found = nodes_.find(name);
  bool exact = found != nodes_.end();
  for (std::string_view rest = name; found == nodes_.end() && rest.size() > 1;) {
    rest.remove_prefix(1 + static_cast<unsigned char>(rest[0]));
    found = nodes_.find(rest);
  }
  if (found == nodes_.end()) return {.rcode = Rcode::refused};
  const Node& node = found->second;
  if (!exact && !node.whole)
    return {.rcode = Rcode::nxdomain, .authoritative = true, .authority = node.soa};
  for (const Record* record : node.records)
    if (record->type == type || type == Type::any) return {.authoritative = true, .answer = record};
  return {.authoritative = true, .authority = node.soa};
}

} // namespace banger::dns

#include "ops/dns/records.h"

#include <chrono>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "dns/lookup.h"
#include "model/zone.h"
#include "ops/dns/names.h"

namespace banger::ops {

namespace {

constexpr Millis patience{3'000};

std::string data_of(const dns::Record& record) {
  if (const auto* address = std::get_if<Address>(&record.data)) return to_text(*address);
  return dns::to_text(std::get<dns::Name>(record.data));
}

std::optional<Address> address_of(const std::string& text) {
  if (text.find_first_not_of("0123456789.") != std::string::npos) return {};
  if (text.find('.') == std::string::npos) return {}; // a VM may be called so
  return parse_address("address", text);
}

} // namespace

Json to_json(const DnsRecord& record) {
  return {{"name", record.name}, {"type", record.type}, {"ttl", record.ttl}, {"data", record.data}};
}

std::vector<DnsRecord> dns_records(Reader& in) {
  dns::Zone zone(in.settings.dns_zone, in.settings.dns_ttl, 0, named_vms(in.dirs, in.state).hosts);
  std::vector<DnsRecord> records;
  for (const dns::Record& r : zone.records())
    if (r.type == dns::Type::a || r.type == dns::Type::ptr)
      records.push_back({dns::to_text(r.owner), dns::to_text(r.type), r.ttl, data_of(r)});
  return records;
}

std::vector<DnsRecord> resolve(const Settings& settings, const std::string& name) {
  auto address = address_of(name);
  bool full = name.find('.') != std::string::npos;
  dns::Name asked = address ? dns::reverse_name(*address)
                            : dns::parse_name(full ? name : full_name(name, settings.dns_zone));
  std::string text = address ? name : dns::to_text(asked), at = to_text(settings.dns_listen);
  dns::Reply reply;
  try {
    reply = dns::look_up(to_text(settings.dns_listen.address), settings.dns_listen.port, asked,
                         address ? dns::Type::ptr : dns::Type::a, patience);
  } catch (Error& e) {
    e.within(fmt::format("cannot resolve '{}'", text)).default_subject(text);
    if (e.code() == Code::unreachable)
      e.default_hint("banger dns status tells why; banger dns start answers there");
    throw;
  }
  auto none = [&](std::string_view why) {
    return not_found("no '{}' at {}: {}", text, at, why)
        .subject(text)
        .hint("banger dns records lists what there is");
  };
  switch (reply.rcode) {
  case dns::Rcode::noerror:
    break;
  case dns::Rcode::nxdomain:
    throw none("no VM of that name runs");
  case dns::Rcode::refused:
    throw none(address ? "no VM that runs has that address"
                       : fmt::format("it answers for '.{}' alone", settings.dns_zone));
  default:
    throw failed("cannot resolve '{}': {} answers {}", text, at, dns::to_text(reply.rcode))
        .subject(text)
        .hint("banger dns status tells more");
  }
  if (reply.answer.empty()) throw none("it has no address");
  std::vector<DnsRecord> records;
  for (const auto& r : reply.answer) records.push_back({r.name, r.type, r.ttl, r.data});
  return records;
}

} // namespace banger::ops

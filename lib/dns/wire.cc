#include "dns/wire.h"

#include <algorithm>
#include <memory>

#include <ldns/ldns.h>

#include "core/error.h"
#include "dns/packet.h"

namespace banger::dns {

namespace {

// --- Encoding, by ldns.

struct FreeRr {
  void operator()(ldns_rr* rr) const { ldns_rr_free(rr); }
};
struct FreePacket {
  void operator()(ldns_pkt* packet) const { ldns_pkt_free(packet); }
};
struct FreeBytes {
  void operator()(void* bytes) const { std::free(bytes); } // ldns_rr2wire's are malloc's
};
using Rr = std::unique_ptr<ldns_rr, FreeRr>;
using Packet = std::unique_ptr<ldns_pkt, FreePacket>;
using Bytes = std::unique_ptr<uint8_t, FreeBytes>;

ldns_rdf* name_field(const Name& name) {
  return ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, name.size(), name.data());
}

ldns_rdf* number_field(uint32_t value) { return ldns_native2rdf_int32(LDNS_RDF_TYPE_INT32, value); }

// The fields of a record's data, in their order.
std::vector<ldns_rdf*> fields_of(const Record& record) {
  if (const auto* address = std::get_if<Address>(&record.data)) {
    uint32_t v = address->value;
    const uint8_t bytes[4] = {static_cast<uint8_t>(v >> 24), static_cast<uint8_t>(v >> 16),
                              static_cast<uint8_t>(v >> 8), static_cast<uint8_t>(v)};
    return {ldns_rdf_new_frm_data(LDNS_RDF_TYPE_A, sizeof bytes, bytes)};
  }
  if (const auto* name = std::get_if<Name>(&record.data)) return {name_field(*name)};
  // No server transfers the zone, so only the last of the times means something: how long the
  // absence of a name may be remembered.
  static const Name nobody = parse_name("nobody.invalid");
  return {
      name_field(record.owner), name_field(nobody), number_field(std::get<Soa>(record.data).serial),
      number_field(3600),       number_field(600),  number_field(86400),
      number_field(record.ttl)};
}

std::string encode(const Record& record) {
  Rr rr(ldns_rr_new());
  if (!rr) throw std::bad_alloc();
  ldns_rr_set_owner(rr.get(), name_field(record.owner));
  ldns_rr_set_type(rr.get(), static_cast<ldns_rr_type>(record.type));
  ldns_rr_set_class(rr.get(), LDNS_RR_CLASS_IN);
  ldns_rr_set_ttl(rr.get(), record.ttl);
  for (ldns_rdf* field : fields_of(record)) ldns_rr_push_rdf(rr.get(), field);
  uint8_t* made = nullptr;
  size_t size = 0;
  ldns_status status = ldns_rr2wire(&made, rr.get(), LDNS_SECTION_ANSWER, &size);
  Bytes bytes(made);
  if (status != LDNS_STATUS_OK)
    throw failed("cannot encode the {} record of '{}': {}", to_text(record.type),
                 to_text(record.owner), ldns_get_errorstr_by_id(status));
  return {reinterpret_cast<const char*>(made), size};
}

// --- Putting answers together.

constexpr size_t pointer = 0xc000, opt_size = 11;
constexpr size_t pointer_at = 10; // of a record's data, behind type, class, TTL and length

void put_header(std::string& out, const Query& q, unsigned flags, Rcode code) {
  auto low = static_cast<unsigned>(code) & flag::rcode;
  out.clear();
  put_word(out, q.id);
  put_word(out, flag::response | static_cast<unsigned>(q.opcode) << 11 |
                    (q.recursion_desired ? flag::recurse : 0) | flags | low);
  out.append(8, '\0'); // the counts
}

void count(std::string& out, int section) {
  set_word(out, 4 + 2 * static_cast<size_t>(section), 1);
}

void put_question(std::string& out, const Query& q) {
  count(out, 0);
  out += q.question;
}

void put_edns(std::string& out, const Query& q, Rcode code) {
  if (!q.edns) return;
  count(out, 3);
  put_opt(out, udp_limits.edns, static_cast<unsigned>(code), q.dnssec_ok);
}

// All but the records. True where they may follow.
bool begin_answer(std::string& out, const std::optional<Query>& q, unsigned flags, Rcode rcode) {
  out.clear();
  if (!q) return false;
  if (q->fault == Rcode::formerr || q->fault == Rcode::notimp) {
    put_header(out, *q, 0, q->fault);
    return false;
  }
  bool good = q->fault == Rcode::noerror;
  put_header(out, *q, good ? flags : 0, good ? rcode : q->fault);
  put_question(out, *q);
  if (!good) put_edns(out, *q, q->fault);
  return good;
}

} // namespace

Answers::Answers(Zone zone) : zone_(std::move(zone)) {
  encoded_.reserve(zone_.records().size());
  for (const Record& record : zone_.records()) {
    Encoded e{encode(record).substr(record.owner.size()),
              record.type == Type::soa || record.type == Type::ns};
    if (e.points) {
      e.bytes.replace(pointer_at, record.owner.size(), 2, '\0');
      set_word(e.bytes, pointer_at - 2, e.bytes.size() - pointer_at);
    }
    encoded_.push_back(std::move(e));
  }
}

const Answers::Encoded& Answers::encoded(const Record& record) const {
  return encoded_[static_cast<size_t>(&record - zone_.records().data())];
}

bool Answers::answer(std::string_view packet, Limits limits, std::string& out,
                     Address asker) const {
  auto q = parse_query(packet);
  Zone::Decision d;
  if (q && q->fault == Rcode::noerror) d = zone_.decide(q->name(), q->type, q->klass, asker);
  if (d.relay) {
    out.clear();
    return false;
  }
  unsigned flags = (d.authoritative ? flag::authoritative : 0U) |
                   (zone_.relays() ? flag::recursion_available : 0U);
  if (!begin_answer(out, q, flags, d.rcode)) return true;
  size_t bare = out.size();
  auto put = [&](const Record* record, int section) {
    if (!record) return;
    const Encoded& e = encoded(*record);
    // The owner is the name that was asked for, or the end of it.
    size_t owner = pointer | header_size;
    size_t apex = owner + q->name().size() - record->owner.size();
    count(out, section);
    put_word(out, section == 1 ? owner : apex);
    if (e.points) {
      out.append(e.bytes, 0, pointer_at);
      put_word(out, apex);
      out.append(e.bytes, pointer_at + 2);
    } else {
      out += e.bytes;
    }
  };
  put(d.answer, 1);
  put(d.authority, 2);
  size_t most = q->edns ? std::clamp(q->most, limits.plain, limits.edns) : limits.plain;
  if (out.size() + (q->edns ? opt_size : 0) > most) {
    out.resize(bare);
    set_word(out, 6, 0);
    set_word(out, 8, 0);
    out[2] = static_cast<char>(byte_at(out, 2) | flag::truncated >> 8);
  }
  put_edns(out, *q, d.rcode);
  return true;
}

void answer_failure(std::string_view packet, std::string& out) {
  auto q = parse_query(packet);
  if (begin_answer(out, q, 0, Rcode::servfail)) put_edns(out, *q, Rcode::servfail);
}

std::string encode_query(uint16_t id, const Name& name, Type type) {
  Packet packet(
      ldns_pkt_query_new(name_field(name), static_cast<ldns_rr_type>(type), LDNS_RR_CLASS_IN, 0));
  if (!packet) throw std::bad_alloc();
  ldns_pkt_set_id(packet.get(), id);
  ldns_pkt_set_edns_udp_size(packet.get(), udp_limits.edns);
  uint8_t* made = nullptr;
  size_t size = 0;
  ldns_status status = ldns_pkt2wire(&made, packet.get(), &size);
  Bytes bytes(made);
  if (status != LDNS_STATUS_OK)
    throw failed("cannot ask for '{}': {}", to_text(name), ldns_get_errorstr_by_id(status));
  return {reinterpret_cast<const char*>(made), size};
}

namespace {

struct FreeText {
  void operator()(char* text) const { std::free(text); }
};

std::string text_of(const ldns_rdf* field) {
  std::unique_ptr<char, FreeText> text(ldns_rdf2str(field));
  if (!text) throw failed("cannot read the answer: a record of it is broken");
  std::string out(text.get());
  if (out.size() > 1 && out.ends_with('.')) out.pop_back(); // as people write it
  return out;
}

// The record at `at`, which is moved behind it.
Rr read_record(std::string_view packet, size_t& at, ldns_pkt_section section) {
  ldns_rr* made = nullptr;
  ldns_status status = ldns_wire2rr(&made, reinterpret_cast<const uint8_t*>(packet.data()),
                                    packet.size(), &at, section);
  Rr rr(made);
  if (status != LDNS_STATUS_OK)
    throw failed("cannot read the answer: {}", ldns_get_errorstr_by_id(status));
  return rr;
}

Reply::Record record_of(const ldns_rr* rr) {
  Reply::Record r{text_of(ldns_rr_owner(rr)),
                  to_text(static_cast<Type>(ldns_rr_get_type(rr))),
                  ldns_rr_ttl(rr),
                  {}};
  for (size_t i = 0; i < ldns_rr_rd_count(rr); i++)
    r.data += (i ? " " : "") + text_of(ldns_rr_rdf(rr, i));
  return r;
}

} // namespace

Reply decode_reply(std::string_view packet, std::string_view query) {
  auto demand = [](bool fits) {
    if (!fits) throw failed("what came is no answer to what was asked");
  };
  auto asked = parse_query(query);
  demand(packet.size() >= header_size);
  const unsigned flags = word_at(packet, 2), questions = word_at(packet, 4);
  demand((flags & flag::response) != 0 && word_at(packet, 0) == asked->id);
  unsigned code = flags & flag::rcode;
  size_t at = header_size;
  if (questions > 0) {
    demand(questions == 1 && packet.substr(at).starts_with(asked->question));
    at += asked->question.size();
  } else {
    demand(code != 0); // an error need not repeat the question
  }
  Reply reply;
  // Record by record: ldns's own reader of packets loses each TSIG record that another one follows.
  for (auto section : {LDNS_SECTION_ANSWER, LDNS_SECTION_AUTHORITY, LDNS_SECTION_ADDITIONAL}) {
    unsigned count = word_at(packet, 4 + 2 * static_cast<size_t>(section));
    for (unsigned i = 0; i < count; i++) {
      Rr rr = read_record(packet, at, section);
      if (section == LDNS_SECTION_ANSWER) reply.answer.push_back(record_of(rr.get()));
      if (section == LDNS_SECTION_ADDITIONAL && ldns_rr_get_type(rr.get()) == LDNS_RR_TYPE_OPT)
        code = (flags & flag::rcode) | ldns_rr_ttl(rr.get()) >> 24 << 4;
    }
  }
  reply.rcode = static_cast<Rcode>(code);
  reply.authoritative = (flags & flag::authoritative) != 0;
  reply.truncated = (flags & flag::truncated) != 0;
  return reply;
}

} // namespace banger::dns

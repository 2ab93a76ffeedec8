#include "fuzz/try.h"

#include <algorithm>
#include <memory>

#include "core/error.h"
#include "fuzz/promise.h"

#include <ldns/ldns.h> // last: it makes macros of words of C++

namespace banger::fuzz {

namespace {

using dns::Rcode;

// The largest that may come behind a question: an SOA, or a PTR to the longest name, and OPT.
constexpr size_t most_behind = 16 + 255 + 40;

struct FreePacket {
  void operator()(ldns_pkt* packet) const { ldns_pkt_free(packet); }
};
using Packet = std::unique_ptr<ldns_pkt, FreePacket>;

Packet read_by_ldns(std::string_view bytes) {
  ldns_pkt* made = nullptr;
  auto status = ldns_wire2pkt(&made, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  Packet packet(made);
  if (status != LDNS_STATUS_OK) packet.reset();
  return packet;
}

unsigned byte_at(std::string_view bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }

bool same_but_for_case(std::string_view a, std::string_view lower) {
  return std::ranges::equal(a, lower, [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? static_cast<char>(x | 0x20) : x) == y;
  });
}

// Of two TSIG records ldns loses one, which the search for leaks would be told of.
bool may_have_signatures(std::string_view bytes) {
  constexpr std::string_view type("\0\372", 2);
  size_t first = bytes.find(type);
  return first != bytes.npos && bytes.find(type, first + 1) != bytes.npos;
}

// Where both have read a question they have read the same.
void hold_against_ldns(const dns::Query& q, std::string_view bytes) {
  if (may_have_signatures(bytes)) return;
  Packet p = read_by_ldns(bytes);
  if (!p || ldns_pkt_qdcount(p.get()) != 1) return;
  const ldns_rr* question = ldns_rr_list_rr(ldns_pkt_question(p.get()), 0);
  const ldns_rdf* owner = ldns_rr_owner(question);
  std::string_view name{reinterpret_cast<const char*>(ldns_rdf_data(owner)), ldns_rdf_size(owner)};
  promise(same_but_for_case(name, q.name()), "a name is read as ldns reads it");
  promise(ldns_rr_get_type(question) == static_cast<ldns_rr_type>(q.type), "a type, too");
  promise(ldns_rr_get_class(question) == static_cast<ldns_rr_class>(q.klass), "a class, too");
  if (ldns_pkt_tsig(p.get())) return; // it counts a TSIG record twice, and misses the last one
  promise(ldns_pkt_edns(p.get()) == q.edns, "EDNS, too");
  if (!q.edns) return;
  promise(ldns_pkt_edns_do(p.get()) == q.dnssec_ok, "DO, too");
  promise(std::max<size_t>(ldns_pkt_edns_udp_size(p.get()), 512) == q.most, "a size, too");
}

void look_at_answer(const std::optional<dns::Query>& q, std::string_view bytes,
                    const std::string& out, dns::Limits limits) {
  if (!q) {
    promise(bytes.size() < dns::header_size || (byte_at(bytes, 2) & 0x80) != 0,
            "each question is answered");
    promise(out.empty(), "what is no question is not answered");
    return;
  }
  promise(out.size() >= dns::header_size, "an answer has a header");
  promise(out.substr(0, 2) == bytes.substr(0, 2), "an answer has the question's id");
  promise((byte_at(out, 2) & 0x80) != 0, "an answer says that it is one");
  promise((byte_at(out, 2) & 0x79) == (byte_at(bytes, 2) & 0x79), "opcode and RD come back");
  promise(byte_at(out, 3) < 0x80 && (byte_at(out, 3) & 0x70) == 0, "RA, AD and CD are not said");
  Packet read = read_by_ldns(out);
  promise(read != nullptr, "ldns reads each answer");
  if (q->fault == Rcode::formerr || q->fault == Rcode::notimp) {
    promise(out.size() == dns::header_size, "what is no question gets a header alone");
    return;
  }
  promise(std::string_view(out).substr(dns::header_size).starts_with(q->question),
          "a question comes back as it was asked");
  promise(out.size() <= dns::header_size + q->question.size() + most_behind,
          "an answer is not much more than its question");
  promise(out.size() <= (q->edns ? limits.edns : limits.plain), "an answer is within its limit");
  promise(ldns_pkt_edns(read.get()) == q->edns, "EDNS is answered with EDNS");
  promise(ldns_pkt_ancount(read.get()) + ldns_pkt_nscount(read.get()) <= 1,
          "an answer has one record");
}

void try_as_question(std::string_view bytes) {
  auto q = dns::parse_query(bytes);
  if (q && q->fault != Rcode::formerr && q->fault != Rcode::notimp) {
    hold_against_ldns(*q, bytes);
    dns::to_text(q->name());
  }
  for (dns::Limits limits : {dns::udp_limits, dns::tcp_limits}) {
    std::string out = answer(bytes, limits);
    look_at_answer(q, bytes, out, limits);
    promise(out == answer(bytes, limits), "the same question has the same answer");
  }
  std::string failure = "what was there";
  dns::answer_failure(bytes, failure);
  look_at_answer(q, bytes, failure, dns::udp_limits);
}

// An answer of some server, to a question that it fits to as far as its length allows.
void try_as_answer(std::string_view bytes) {
  static const std::string asked =
      dns::encode_query(0x1234, dns::parse_name("demo.vm"), dns::Type::a);
  std::string reply(bytes);
  if (reply.size() > 2) {
    reply.replace(0, 2, asked, 0, 2);
    reply[2] = static_cast<char>(reply[2] | 0x80);
  }
  for (std::string_view packet : {bytes, std::string_view(reply)}) try {
      dns::decode_reply(packet, asked);
    } catch (const Error&) { // it says what is wrong with it
    }
}

} // namespace

const dns::Answers& answers() {
  auto host = [](std::string name, const char* address) {
    return dns::Host{std::move(name), parse_address("address", address)};
  };
  static const dns::Answers all(
      dns::Zone("vm", std::chrono::seconds(4), 7,
                {host("demo", "127.31.4.1"), host("a", "127.31.4.2"), host("*", "127.31.4.3"),
                 host(std::string(63, 'z'), "127.255.255.255")}));
  return all;
}

void try_packet(std::string_view bytes) {
  try_as_question(bytes);
  try_as_answer(bytes);
  try_relay(bytes);
}

} // namespace banger::fuzz

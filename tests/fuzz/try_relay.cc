#include "dns/relay.h"
#include "fuzz/promise.h"
#include "fuzz/try.h"

namespace banger::fuzz {

namespace {

using dns::Rcode;

constexpr uint16_t id = 0x4321;

// The bytes are a guest's question; a part of it may go on to others.
void try_as_guests_question(std::string_view bytes) {
  const Address asker = parse_address("address", "10.0.2.4");
  static const dns::Answers zone(
      dns::Zone("vm", std::chrono::seconds(4), 7, {{"demo", asker}},
                dns::GuestNetwork{Subnet::parse("10.0.2.0/24"), {{"demo", asker}}}));
  std::string out = "what was there";
  if (zone.answer(bytes, dns::udp_limits, out, asker)) return;
  promise(out.empty(), "what others are to answer has no answer yet");
  auto q = dns::parse_query(bytes);
  promise(q && q->fault == Rcode::noerror, "others are asked whole questions alone");
  std::string sent = dns::relayed_query(bytes, id);
  auto again = dns::parse_query(sent);
  promise(again && again->fault == Rcode::noerror && again->id == id, "they can be asked again");
  promise(again->question == q->question && again->edns == q->edns, "as they were asked");
  promise(sent.size() <= bytes.size(), "nothing is added");
  promise(!dns::answers(sent, sent), "a question is no answer to itself");
}

// The bytes are a server's answer; as far as their length allows they fit the question.
void try_as_servers_answer(std::string_view bytes) {
  static const std::string asked =
      dns::encode_query(0x1111, dns::parse_name("example.org"), dns::Type::a);
  static const std::string sent = dns::relayed_query(asked, id);
  size_t question = dns::parse_query(sent)->question.size();
  std::string fits(bytes);
  if (fits.size() >= dns::header_size + question) {
    fits.replace(0, 2, sent, 0, 2);
    fits[2] = static_cast<char>((fits[2] | 0x80) & 0x87); // an answer, of that operation
    fits.replace(4, 2, sent, 4, 2);
    fits.replace(dns::header_size, question, sent, dns::header_size, question);
    promise(dns::answers(fits, sent), "an answer is known as one");
  }
  for (const std::string& reply : {std::string(bytes), fits})
    for (bool by_tcp : {false, true}) {
      if (!dns::answers(reply, sent)) continue;
      std::string given = dns::relayed_answer(reply, asked, by_tcp);
      promise(given.size() <= (by_tcp ? dns::tcp_limits.plain : dns::udp_limits.edns),
              "what is relayed is within its limit");
      promise(given.substr(0, 2) == asked.substr(0, 2), "it has the guest's id");
      promise(given.compare(dns::header_size, question, asked, dns::header_size, question) == 0,
              "and the guest's question");
      bool whole = given.size() == reply.size();
      promise(whole || (static_cast<uint8_t>(given[2]) & 0x02) != 0, "what was cut says so");
    }
}

} // namespace

void try_relay(std::string_view bytes) {
  try_as_guests_question(bytes);
  try_as_servers_answer(bytes);
}

} // namespace banger::fuzz

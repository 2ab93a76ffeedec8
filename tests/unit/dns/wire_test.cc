// Packets in, packets out. ldns reads the answers, and does not know how they were made.
#include <random>

#include <gtest/gtest.h>
#include <ldns/ldns.h>
#include <malloc.h>

#include "core/error.h"
#include "dns/wire.h"

namespace banger::dns {

namespace {

std::string bytes(std::initializer_list<int> all) {
  std::string out;
  for (int b : all) out += static_cast<char>(b);
  return out;
}

std::string word(unsigned value) {
  return bytes({static_cast<int>(value >> 8 & 255), static_cast<int>(value & 255)});
}

struct Asked {
  unsigned flags = 0;
  std::string name = parse_name("demo.vm");
  unsigned type = 1, klass = 1;
  unsigned counts[4] = {1, 0, 0, 0};
  std::string rest = {}; // behind the question
  std::string packet() const {
    std::string out = word(0x1234) + word(flags);
    for (unsigned c : counts) out += word(c);
    return out + name + word(type) + word(klass) + rest;
  }
};

std::string opt(unsigned size = 1232, int version = 0, unsigned flags = 0,
                const std::string& data = {}) {
  return bytes({0}) + word(41) + word(size) + bytes({0, version}) + word(flags) +
         word(static_cast<unsigned>(data.size())) + data;
}

Asked with_opt(const std::string& record) {
  Asked a;
  a.counts[3] = 1;
  a.rest = record;
  return a;
}

const Answers& answers() {
  static const Answers all(Zone("vm", std::chrono::seconds(4), 7,
                                {{"demo", parse_address("address", "127.31.4.1")},
                                 {"other", parse_address("address", "127.31.4.2")}}));
  return all;
}

std::string answer(const std::string& packet, Limits limits = udp_limits) {
  std::string out = "what was there";
  answers().answer(packet, limits, out);
  return out;
}

unsigned word_at(const std::string& packet, size_t at) {
  return static_cast<unsigned>(static_cast<uint8_t>(packet[at])) << 8 |
         static_cast<uint8_t>(packet[at + 1]);
}
unsigned rcode(const std::string& packet) { return word_at(packet, 2) & 15; }

struct Packet {
  explicit Packet(const std::string& packet) {
    status = ldns_wire2pkt(&made, reinterpret_cast<const uint8_t*>(packet.data()), packet.size());
    EXPECT_EQ(status, LDNS_STATUS_OK) << ldns_get_errorstr_by_id(status);
  }
  Packet(const Packet&) = delete;
  Packet& operator=(const Packet&) = delete;
  ~Packet() { ldns_pkt_free(made); }
  // "demo.vm.\t4\tIN\tA\t127.31.4.1"
  static std::string text(const ldns_rr_list* list) {
    std::string out;
    for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
      char* one = ldns_rr2str(ldns_rr_list_rr(list, i));
      out += one;
      std::free(one);
    }
    return out;
  }
  ldns_pkt* made = nullptr;
  ldns_status status;
};

} // namespace

TEST(Wire, AnAddress) {
  Asked asked;
  asked.flags = 0x0100; // RD
  std::string out = answer(asked.packet());
  EXPECT_EQ(word_at(out, 0), 0x1234U);
  EXPECT_EQ(word_at(out, 2), 0x8500U); // an answer, authoritative, RD as it was; no RA
  Packet packet(out);
  EXPECT_EQ(Packet::text(ldns_pkt_answer(packet.made)), "demo.vm.\t4\tIN\tA\t127.31.4.1\n");
  EXPECT_EQ(Packet::text(ldns_pkt_authority(packet.made)), "");
  EXPECT_EQ(ldns_pkt_edns(packet.made), false);
  EXPECT_EQ(out.size(), asked.packet().size() + 16);
}

TEST(Wire, EveryRecordIsReadAsItIs) {
  auto read = [](const char* name, unsigned type) {
    Asked asked;
    asked.name = parse_name(name);
    asked.type = type;
    Packet packet(answer(asked.packet()));
    return Packet::text(ldns_pkt_answer(packet.made)) + "|" +
           Packet::text(ldns_pkt_authority(packet.made));
  };
  const std::string soa = "\t4\tIN\tSOA\t", numbers = " nobody.invalid. 7 3600 600 86400 4\n";
  EXPECT_EQ(read("vm", 6), "vm." + soa + "vm." + numbers + "|");
  EXPECT_EQ(read("vm", 2), "vm.\t4\tIN\tNS\tvm.\n|");
  EXPECT_EQ(read("other.vm", 1), "other.vm.\t4\tIN\tA\t127.31.4.2\n|");
  EXPECT_EQ(read("x.y.other.vm", 1), "x.y.other.vm.\t4\tIN\tA\t127.31.4.2\n|");
  EXPECT_EQ(read("other.vm", 28), "|vm." + soa + "vm." + numbers);
  EXPECT_EQ(read("x.y.other.vm", 28), "|vm." + soa + "vm." + numbers);
  EXPECT_EQ(read("nobody.vm", 1), "|vm." + soa + "vm." + numbers);
  const std::string reverse = "1.4.31.127.in-addr.arpa.";
  EXPECT_EQ(read(reverse.c_str(), 12), reverse + "\t4\tIN\tPTR\tdemo.vm.\n|");
  EXPECT_EQ(read(reverse.c_str(), 2), reverse + "\t4\tIN\tNS\t" + reverse + "\n|");
  EXPECT_EQ(read(("x." + reverse).c_str(), 12), "|" + reverse + soa + reverse + numbers);
}

TEST(Wire, TheQuestionComesBackAsItWasAsked) {
  Asked asked;
  asked.name = bytes({4}) + "dEMo" + bytes({2}) + "Vm" + bytes({0});
  std::string out = answer(asked.packet());
  EXPECT_EQ(out.substr(12, 13), asked.packet().substr(12));
  EXPECT_EQ(word_at(out, 12 + 13), 0xc00cU); // and the answer's owner is it
  Packet packet(out);
  EXPECT_EQ(Packet::text(ldns_pkt_answer(packet.made)), "dEMo.Vm.\t4\tIN\tA\t127.31.4.1\n");
}

TEST(Wire, EdnsIsAnsweredWithEdns) {
  std::string out = answer(with_opt(opt(4096, 0, 0x8000)).packet());
  Packet packet(out);
  EXPECT_TRUE(ldns_pkt_edns(packet.made));
  EXPECT_EQ(ldns_pkt_edns_udp_size(packet.made), 1232);
  EXPECT_TRUE(ldns_pkt_edns_do(packet.made));
  EXPECT_EQ(ldns_pkt_ancount(packet.made), 1);
  // An option that the server does not know is passed over.
  std::string cookie = word(10) + word(8) + "12345678";
  out = answer(with_opt(opt(512, 0, 0, cookie)).packet());
  Packet second(out);
  EXPECT_EQ(ldns_pkt_ancount(second.made), 1);
  EXPECT_FALSE(ldns_pkt_edns_do(second.made));
  EXPECT_EQ(out.find("12345678"), std::string::npos);
}

TEST(Wire, AnotherVersionOfEdnsIsRefusedAsSuch) {
  std::string out = answer(with_opt(opt(1232, 1)).packet());
  Packet packet(out);
  EXPECT_EQ(ldns_pkt_get_rcode(packet.made) | ldns_pkt_edns_extended_rcode(packet.made) << 4, 16);
  EXPECT_EQ(ldns_pkt_edns_version(packet.made), 0);
  EXPECT_EQ(ldns_pkt_ancount(packet.made), 0);
  EXPECT_EQ(out.size(), with_opt(opt()).packet().size());
}

TEST(Wire, WhatIsTooLongIsCutWhole) {
  for (bool edns : {false, true}) {
    Asked asked = edns ? with_opt(opt()) : Asked();
    std::string whole = answer(asked.packet());
    Limits exact{whole.size(), whole.size()}, less{whole.size() - 1, whole.size() - 1};
    EXPECT_EQ(answer(asked.packet(), exact), whole);
    std::string cut = answer(asked.packet(), less);
    EXPECT_EQ(word_at(cut, 2), 0x8600U); // TC
    EXPECT_EQ(cut.size(), asked.packet().size());
    Packet packet(cut);
    EXPECT_EQ(ldns_pkt_ancount(packet.made), 0);
    EXPECT_EQ(ldns_pkt_nscount(packet.made), 0);
    EXPECT_EQ(ldns_pkt_edns(packet.made), edns);
  }
}

TEST(Wire, TheAskersLimitCounts) {
  Limits limits{20, 1232};
  std::string whole = answer(Asked().packet());
  EXPECT_EQ(word_at(answer(Asked().packet(), limits), 2) & 0x0200, 0x0200U);
  // A limit below 512 counts as 512.
  EXPECT_EQ(word_at(answer(with_opt(opt(0)).packet(), limits), 2) & 0x0200, 0U);
  EXPECT_EQ(answer(Asked().packet(), tcp_limits), whole);
}

TEST(Wire, NothingOfAZoneIsLongerThanAnyoneTakes) {
  std::string label(63, 'z'), zone = label + "." + label + "." + std::string(61, 'y');
  std::string host(63, 'h');
  Answers all(
      Zone(zone, std::chrono::seconds(0), 1, {{host, parse_address("address", "127.1.2.3")}}));
  for (const std::string& name : {host + "." + zone, "x" + host.substr(1) + "." + zone, zone,
                                  std::string("3.2.1.127.in-addr.arpa")})
    for (unsigned type : {1U, 2U, 6U, 12U, 28U, 255U}) {
      Asked asked;
      asked.name = parse_name(name);
      asked.type = type;
      std::string out;
      all.answer(asked.packet(), udp_limits, out);
      EXPECT_EQ(word_at(out, 2) & 0x0200, 0U) << name << " " << type;
      EXPECT_LE(out.size(), 512U);
      Packet packet(out);
    }
}

TEST(Wire, OtherOperationsAreNotThere) {
  for (unsigned opcode = 1; opcode < 16; opcode++) {
    Asked asked;
    asked.flags = opcode << 11 | 0x0100;
    std::string out = answer(asked.packet());
    EXPECT_EQ(out.size(), 12U);
    EXPECT_EQ(word_at(out, 2), 0x8104U | opcode << 11);
  }
}

TEST(Wire, WhatIsNoQuestionIsAnsweredWithNothing) {
  for (size_t size = 0; size < 12; size++) EXPECT_EQ(answer(Asked().packet().substr(0, size)), "");
  Asked reply;
  reply.flags = 0x8000;
  EXPECT_EQ(answer(reply.packet()), "");
}

TEST(Wire, MalformedPacketsAreAnsweredWithTheHeader) {
  auto expect_formerr = [](const std::string& packet, const std::string& what) {
    std::string out = answer(packet);
    EXPECT_EQ(out.size(), 12U) << what;
    if (out.size() == 12) {
      EXPECT_EQ(rcode(out), 1U) << what;
      EXPECT_EQ(out.substr(4), std::string(8, '\0')) << what;
    }
  };
  Asked asked;
  for (size_t size = 12; size < asked.packet().size(); size++)
    expect_formerr(asked.packet().substr(0, size), "cut");
  expect_formerr(asked.packet() + "x", "something behind the question");
  for (unsigned count : {0U, 2U, 65535U}) {
    Asked other = asked;
    other.counts[0] = count;
    expect_formerr(other.packet(), "number of questions");
  }
  for (int section : {1, 2, 3}) {
    Asked other = asked;
    other.counts[section] = 1;
    expect_formerr(other.packet(), "a record that is not there");
    if (section == 3) continue;
    other.rest = opt();
    expect_formerr(other.packet(), "an answer in a question");
  }
  for (const std::string& name : {bytes({0xc0, 0x0c}), bytes({4}) + "demo" + bytes({0xc0, 0x0c}),
                                  bytes({0x40, 0}), bytes({0x80, 0}), bytes({63}) + "demo"}) {
    Asked other = asked;
    other.name = name;
    expect_formerr(other.packet(), "the name");
  }
  Asked longer = asked;
  longer.name.clear();
  for (int i = 0; i < 4; i++) longer.name += bytes({62}) + std::string(62, 'a');
  for (int label : {2, 3}) {
    Asked other = longer;
    other.name += bytes({label - 1}) + std::string(static_cast<size_t>(label - 1), 'a');
    other.name += bytes({0});
    bool is_name = other.name.size() <= 255;
    EXPECT_EQ(is_name, label == 2);
    if (is_name)
      EXPECT_EQ(rcode(answer(other.packet())), 5U);
    else
      expect_formerr(other.packet(), "a name of 256 bytes");
  }
  expect_formerr(with_opt(opt().substr(0, 10)).packet(), "half an OPT");
  expect_formerr(with_opt(opt() + "x").packet(), "something behind OPT");
  expect_formerr(with_opt(bytes({1, 'a'}) + opt()).packet(), "an OPT with a name");
  expect_formerr(with_opt(opt(1232, 0, 0, "abc")).packet(), "half an option");
  expect_formerr(with_opt(opt(1232, 0, 0, word(10) + word(9) + "12345678")).packet(),
                 "an option that is too long");
  Asked two = with_opt(opt() + opt());
  two.counts[3] = 2;
  expect_formerr(two.packet(), "two OPTs");
  Asked none = with_opt("");
  none.counts[3] = 65535;
  expect_formerr(none.packet(), "records that are not there");
}

TEST(Wire, WithoutAStateItIsServfail) {
  std::string out;
  answer_failure(with_opt(opt()).packet(), out);
  Packet packet(out);
  EXPECT_EQ(word_at(out, 2), 0x8002U);
  EXPECT_EQ(ldns_pkt_qdcount(packet.made), 1);
  EXPECT_TRUE(ldns_pkt_edns(packet.made));
  answer_failure(Asked().packet().substr(0, 14), out);
  EXPECT_EQ(rcode(out), 1U);
  answer_failure("x", out);
  EXPECT_EQ(out, "");
}

// No packet crashes it. A packet that is no question gets no more bytes than it brought. Every
// answer can be read.
TEST(Wire, PacketsOfAnyContent) {
  std::mt19937 random(42);
  auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  std::vector<std::string> seeds{
      Asked().packet(), with_opt(opt()).packet(),
      with_opt(opt(4096, 0, 0, word(10) + word(8) + "12345678")).packet()};
  Asked reverse;
  reverse.name = parse_name("1.4.31.127.in-addr.arpa");
  reverse.type = 12;
  seeds.push_back(reverse.packet());
  int questions = 0;
  for (int i = 0; i < 200'000; i++) {
    std::string packet = seeds[below(seeds.size())];
    for (size_t n = below(6); n > 0; n--) {
      size_t at = below(packet.size());
      switch (below(4)) {
      case 0:
        packet[at] = static_cast<char>(random());
        break;
      case 1:
        packet.erase(at, 1 + below(4));
        break;
      case 2:
        packet.insert(at, 1 + below(4), static_cast<char>(random()));
        break;
      case 3:
        packet[at] = static_cast<char>(packet[at] ^ 1 << below(8));
        break;
      }
      if (packet.empty()) packet = "x";
    }
    std::string out = answer(packet);
    if (out.empty()) continue;
    ASSERT_GE(out.size(), 12U);
    ASSERT_LE(out.size(), packet.size() + 60); // the SOA of an answer that there is none
    if (rcode(out) == 1 || rcode(out) == 4) {
      ASSERT_LE(out.size(), packet.size());
    }
    if (out.size() == 12) continue;
    questions++;
    ASSERT_EQ(out.substr(0, 2), packet.substr(0, 2));
    ldns_pkt* made = nullptr;
    ASSERT_EQ(ldns_wire2pkt(&made, reinterpret_cast<const uint8_t*>(out.data()), out.size()),
              LDNS_STATUS_OK);
    ldns_pkt_free(made);
  }
  EXPECT_GT(questions, 10'000);
}

TEST(Wire, AQuestionThatWeAskIsReadAndAnswered) {
  std::string query = encode_query(77, parse_name("demo.vm"), Type::a);
  auto q = parse_query(query);
  ASSERT_TRUE(q);
  EXPECT_EQ(q->fault, Rcode::noerror);
  EXPECT_EQ(q->id, 77);
  EXPECT_TRUE(q->edns);
  EXPECT_EQ(q->most, 1232U);
  EXPECT_FALSE(q->recursion_desired);
  Reply reply = decode_reply(answer(query), query);
  EXPECT_EQ(reply.rcode, Rcode::noerror);
  EXPECT_TRUE(reply.authoritative);
  EXPECT_FALSE(reply.truncated);
  ASSERT_EQ(reply.answer.size(), 1U);
  EXPECT_EQ(reply.answer[0].name, "demo.vm");
  EXPECT_EQ(reply.answer[0].type, "A");
  EXPECT_EQ(reply.answer[0].ttl, 4U);
  EXPECT_EQ(reply.answer[0].data, "127.31.4.1");
  std::string other = encode_query(77, parse_name("other.vm"), Type::a);
  EXPECT_THROW(decode_reply(answer(other), query), Error);
  other = encode_query(78, parse_name("demo.vm"), Type::a);
  EXPECT_THROW(decode_reply(answer(other), query), Error);
  EXPECT_THROW(decode_reply(query, query), Error);
  EXPECT_THROW(decode_reply("", query), Error);
  EXPECT_THROW(decode_reply("hello, world", query), Error);
  EXPECT_TRUE(decode_reply(answer(query, {20, 20}), query).truncated);
}

TEST(Wire, OfAnAnswerThatWasReadNothingIsKept) {
  std::string query = encode_query(77, parse_name("demo.vm"), Type::a), reply = answer(query);
  // A signature more than once, and more of it behind.
  const std::string tsig = std::string("\0\0\372\0\377\0\0\0\0\0\21", 11) + std::string(17, '\0');
  for (int i = 0; i < 4; i++) reply += tsig;
  reply[11] = 5;
  constexpr size_t times = 10'000, smallest_block = 32;
  auto used_after_reading = [&] {
    for (size_t i = 0; i < times; i++) EXPECT_EQ(decode_reply(reply, query).answer.size(), 1U);
    return ::mallinfo2().uordblks;
  };
  // What malloc keeps at hand of what was freed counts as used; after one round it has that.
  size_t before = used_after_reading();
  EXPECT_LT(used_after_reading(), before + times * smallest_block / 10);
}

} // namespace banger::dns

// Questions handed on to other name servers, and their answers, over real sockets.
#include <set>

#include <gtest/gtest.h>
#include <netinet/in.h>

#include "core/error.h"
#include "dns/relay.h"
#include "sys/datagram.h"
#include "sys/inet.h"
#include "sys/listen.h"
#include "sys/socket.h"
#include "sys/wait.h"
#include "unit/dns/run_until.h"

namespace banger::dns {

namespace {

constexpr Millis endless{600'000}, brief{250}; // how long a server's answer is waited for
constexpr Address one{0x0a000204}, other{0x0a000205};

std::string query(uint16_t id, const char* name = "www.example.org") {
  return encode_query(id, parse_name(name), Type::a);
}

// The bytes behind the id, QR and RA set, and so many more.
std::string answer_to(std::string_view question, Rcode rcode = Rcode::noerror, size_t more = 0) {
  auto q = parse_query(question);
  std::string out(question.substr(0, 2));
  out += static_cast<char>(0x81);
  out += static_cast<char>(0x80 | static_cast<int>(rcode));
  out += std::string("\0\1\0\0\0\0\0\0", 8);
  out += q->question;
  return out + std::string(more, 'x');
}

Rcode rcode_of(const std::string& answer) { return static_cast<Rcode>(answer.at(3) & 15); }
bool is_cut(const std::string& answer) { return (answer.at(2) & 2) != 0; }
uint16_t id_of(const std::string& packet) {
  return static_cast<uint16_t>(static_cast<uint8_t>(packet.at(0)) << 8 |
                               static_cast<uint8_t>(packet.at(1)));
}

class OutsideTest : public testing::Test {
protected:
  explicit OutsideTest(Millis patience = endless)
      : relay(loop, [this] { return servers; }, {.most = 6, .of_one = 4, .patience = patience}) {}
  // A name server that gives the test's answers.
  struct Upstream {
    Fd udp, tcp;
    Endpoint at;
    sys::UdpPeer peer; // the sender of the last datagram
    explicit Upstream(const char* address)
        : tcp(sys::listen_tcp(address, 0)), at(sys::endpoint_of(tcp.get())) {
      udp = sys::bind_udp(address, at.port);
    }
    NameServer server() const { return {to_text(at.address), at.port}; }
    std::optional<std::string> take() {
      std::string packet(2000, '\0');
      auto size = sys::receive_datagram(udp.get(), packet.data(), packet.size(), &peer);
      return size ? std::optional(packet.substr(0, *size)) : std::nullopt;
    }
    void say(const std::string& answer) { sys::send_datagram(udp.get(), answer, &peer); }
  };

  template <typename Done>
  void run_until(Done done) {
    ASSERT_TRUE(dns::run_until(loop, done));
  }
  std::string next_at(Upstream& server) {
    std::optional<std::string> came;
    run_until([&] { return (came = server.take()); });
    return came.value_or("");
  }
  bool ask(const std::string& packet, Address asker = one, bool by_tcp = false) {
    return relay.ask(asker, packet, by_tcp,
                     [this](std::string_view answer) { given.emplace_back(answer); });
  }
  std::string next_given() {
    run_until([&] { return !given.empty(); });
    std::string answer = given.front();
    given.erase(given.begin());
    return answer;
  }

  Upstream first{"127.0.0.1"}, second{"127.0.0.2"};
  std::vector<NameServer> servers{first.server(), second.server()};
  std::vector<std::string> given;
  sys::Loop loop;
  Relay relay;
};

// Where servers are silent.
struct SilentOutsideTest : OutsideTest {
  SilentOutsideTest() : OutsideTest(brief) {}
};

} // namespace

TEST(RelayedQuery, HasNothingOfThePacketButItsQuestion) {
  std::string packet = query(7);
  packet[2] = 1;                  // RD
  packet[3] = 0x50 | 0x20 | 0x0f; // CD, AD, and bits that make no sense in a question
  // An option: RFC 7873's cookie.
  packet[packet.size() - 1] = 12;
  packet += std::string("\0\12\0\10abcdefgh", 12);
  ASSERT_EQ(parse_query(packet)->fault, Rcode::noerror);
  std::string out = relayed_query(packet, 0x1234);
  EXPECT_EQ(id_of(out), 0x1234);
  EXPECT_EQ(out[2], 1);
  EXPECT_EQ(out[3], 0x30);
  EXPECT_EQ(out.find("abcdefgh"), std::string::npos);
  auto q = parse_query(out);
  EXPECT_EQ(q->fault, Rcode::noerror);
  EXPECT_EQ(q->question, parse_query(packet)->question);
  EXPECT_TRUE(q->edns);
  // Without EDNS no EDNS.
  packet.resize(packet.size() - 12 - 11);
  packet[11] = 0;
  EXPECT_FALSE(parse_query(relayed_query(packet, 1))->edns);
}

TEST(RelayedAnswer, IsToTheSameQuestion) {
  std::string sent = query(7), answer = answer_to(sent);
  EXPECT_TRUE(answers(answer, sent));
  EXPECT_TRUE(answers(answer_to(query(7, "WWW.example.ORG")), sent));
  EXPECT_FALSE(answers(answer_to(query(8)), sent));
  EXPECT_FALSE(answers(answer_to(query(7, "www.example.net")), sent));
  EXPECT_FALSE(
      answers(answer_to(encode_query(7, parse_name("www.example.org"), Type::aaaa)), sent));
  EXPECT_FALSE(answers(sent, sent)); // a question
  for (size_t size = 0; size < answer.size(); size++)
    EXPECT_FALSE(answers(std::string_view(answer).substr(0, size), sent)) << size;
}

TEST(RelayedAnswer, HasTheAskersIdAndCaseAndIsCutToWhatItTakes) {
  std::string packet = query(9, "www.example.org");
  packet[13] = 'W';
  std::string answer = answer_to(query(77), Rcode::noerror, 900);
  std::string out = relayed_answer(answer, packet, false);
  EXPECT_EQ(id_of(out), 9);
  EXPECT_EQ(out.substr(12, 4), "\3Www");
  EXPECT_EQ(out.size(), answer.size());
  out = relayed_answer(answer + std::string(1000, 'x'), packet, false);
  EXPECT_TRUE(is_cut(out));
  EXPECT_EQ(out.size(), 12 + parse_query(packet)->question.size());
  EXPECT_FALSE(is_cut(relayed_answer(answer + std::string(1000, 'x'), packet, true)));
}

TEST_F(OutsideTest, EachQuestionHasAnIdAndAPortOfItsOwn) {
  std::set<uint16_t> ids;
  std::set<uint16_t> ports;
  for (int i = 0; i < 20; i++) {
    ASSERT_TRUE(ask(query(5)));
    std::string sent = next_at(first);
    ids.insert(id_of(sent));
    ports.insert(first.peer.port);
    first.say(answer_to(sent));
    EXPECT_EQ(id_of(next_given()), 5);
  }
  EXPECT_GT(ids.size(), 15U);
  EXPECT_GT(ports.size(), 15U);
  EXPECT_EQ(relay.waiting(), 0U);
}

TEST_F(OutsideTest, WhatIsNoAnswerOfTheServerIsPassedOver) {
  ASSERT_TRUE(ask(query(5)));
  std::string sent = next_at(first);
  std::string wrong = sent;
  wrong[0] ^= 1;
  first.say(answer_to(wrong));
  first.say(answer_to(query(id_of(sent), "www.example.net")));
  first.say("x");
  // A right answer, but from another server.
  sys::send_datagram(second.udp.get(), answer_to(sent, Rcode::nxdomain), &first.peer);
  loop.after(Millis(20), [this] { loop.stop(); });
  loop.run();
  EXPECT_TRUE(given.empty());
  first.say(answer_to(sent));
  EXPECT_EQ(rcode_of(next_given()), Rcode::noerror);
}

TEST_F(SilentOutsideTest, SilenceGivesWayToTheNextServerAndALateAnswerCounts) {
  ASSERT_TRUE(ask(query(5)));
  std::string sent = next_at(first);
  EXPECT_EQ(next_at(second), sent);
  first.say(answer_to(sent));
  EXPECT_EQ(rcode_of(next_given()), Rcode::noerror);
}

TEST_F(SilentOutsideTest, WhereNoServerAnswersItIsServfail) {
  ASSERT_TRUE(ask(query(5)));
  std::string answer = next_given();
  EXPECT_EQ(rcode_of(answer), Rcode::servfail);
  EXPECT_EQ(id_of(answer), 5);
  // The first server is asked twice: a datagram may be lost.
  EXPECT_TRUE(first.take() && first.take() && second.take());
  EXPECT_FALSE(first.take() || second.take());
  servers.clear();
  ASSERT_TRUE(ask(query(6)));
  EXPECT_TRUE(given.empty()); // never at once
  EXPECT_EQ(rcode_of(next_given()), Rcode::servfail);
}

TEST_F(OutsideTest, AServerThatIsNotThereGivesWayAtOnce) {
  first.udp.reset();
  ASSERT_TRUE(ask(query(5)));
  second.say(answer_to(next_at(second))); // it is not waited for: that has no end
  EXPECT_EQ(rcode_of(next_given()), Rcode::noerror);
}

TEST_F(OutsideTest, AServerThatCannotTellGivesWayOnce) {
  ASSERT_TRUE(ask(query(5)));
  first.say(answer_to(next_at(first), Rcode::servfail));
  second.say(answer_to(next_at(second)));
  EXPECT_EQ(rcode_of(next_given()), Rcode::noerror);
  ASSERT_TRUE(ask(query(5)));
  first.say(answer_to(next_at(first), Rcode::servfail));
  second.say(answer_to(next_at(second), Rcode::refused));
  EXPECT_EQ(rcode_of(next_given()), Rcode::refused);
  // A server that repeats no question.
  ASSERT_TRUE(ask(query(5)));
  std::string bare = answer_to(next_at(first), Rcode::formerr).substr(0, 12);
  bare[5] = 0;
  first.say(bare);
  second.say(answer_to(next_at(second)));
  EXPECT_EQ(rcode_of(next_given()), Rcode::noerror);
  // NXDOMAIN is an answer.
  ASSERT_TRUE(ask(query(5)));
  first.say(answer_to(next_at(first), Rcode::nxdomain));
  EXPECT_EQ(rcode_of(next_given()), Rcode::nxdomain);
}

TEST_F(OutsideTest, WhoAsksMuchTakesNothingOfTheOthers) {
  for (int i = 0; i < 4; i++) ASSERT_TRUE(ask(query(1)));
  EXPECT_FALSE(ask(query(1)));
  for (int i = 0; i < 2; i++) ASSERT_TRUE(ask(query(2), other));
  EXPECT_EQ(relay.waiting(), 6U);
  // The relay is full: the oldest question of the asker that has most gives way.
  ASSERT_TRUE(ask(query(3), other));
  EXPECT_EQ(relay.waiting(), 6U);
  ASSERT_EQ(given.size(), 1U);
  EXPECT_EQ(id_of(given[0]), 1);
  EXPECT_EQ(rcode_of(given[0]), Rcode::servfail);
  // Three each: no asker has more than its share.
  EXPECT_FALSE(ask(query(4), other));
  EXPECT_TRUE(ask(query(5), Address{0x0a000206}));
}

TEST_F(OutsideTest, WhatIsAskedByTcpIsAskedByTcp) {
  ASSERT_TRUE(ask(query(5), one, true));
  std::optional<Fd> connection;
  run_until([&] { return (connection = sys::accept_one(first.tcp.get())).has_value(); });
  std::string in;
  run_until([&] {
    while (sys::is_readable(connection->get())) in += sys::read_some(connection->get(), 4096);
    return in.size() > 2 && in.size() == 2U + id_of(in);
  });
  std::string answer = answer_to(in.substr(2), Rcode::noerror, 30'000), frame;
  frame += static_cast<char>(answer.size() >> 8);
  frame += static_cast<char>(answer.size());
  frame += answer;
  for (size_t at = 0; at < frame.size(); at += 7'000) {
    sys::send_all(connection->get(), frame.substr(at, 7'000));
    loop.after(Millis(1), [this] { loop.stop(); });
    loop.run();
  }
  EXPECT_EQ(next_given().size(), answer.size());
  // A server that hangs up, and a server that is not there.
  ASSERT_TRUE(ask(query(5), one, true));
  run_until([&] { return (connection = sys::accept_one(first.tcp.get())).has_value(); });
  connection.reset();
  run_until([&] { return (connection = sys::accept_one(second.tcp.get())).has_value(); });
  first.tcp.reset();
  second.tcp.reset();
  connection.reset();
  EXPECT_EQ(rcode_of(next_given()), Rcode::servfail);
}

TEST_F(OutsideTest, WhatWaitsIsForgottenWithIt) {
  {
    Relay gone(loop, [this] { return servers; }, {.patience = brief, .tries = 1});
    gone.ask(one, query(5), false, [this](std::string_view a) { given.emplace_back(a); });
    next_at(first);
  }
  loop.after(2 * brief, [this] { loop.stop(); });
  loop.run();
  EXPECT_TRUE(given.empty());
}

} // namespace banger::dns

// The server over real sockets: batches, pipelining, and slow clients that it does not wait for.
#include <gtest/gtest.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include "core/error.h"
#include "dns/server.h"
#include "sys/datagram.h"
#include "sys/inet.h"
#include "sys/listen.h"
#include "sys/socket.h"
#include "sys/wait.h"
#include "unit/dns/run_until.h"

namespace banger::dns {

namespace {

constexpr const char* here = "127.0.0.1";
constexpr Millis never{600'000}, brief{500};

class ServerTest : public testing::Test {
protected:
  explicit ServerTest(Millis idle = never)
      : server(
            loop, [this] { return looks++, knows ? &answers : nullptr; }, [](const Error&) {},
            idle) {
    Fd tcp = sys::listen_tcp(here, 0), udp = sys::bind_udp(here, 0);
    tcp_port = sys::port_of(tcp.get());
    udp_port = sys::port_of(udp.get());
    server.add_tcp(std::move(tcp));
    server.add_udp(std::move(udp));
  }

  template <typename Done>
  void run_until(Done done) {
    EXPECT_TRUE(dns::run_until(loop, done));
  }

  Fd connect() { return sys::connect_tcp(here, tcp_port, too_long); }
  static std::string query(int id, const char* name = "demo.vm") {
    return encode_query(static_cast<uint16_t>(id), parse_name(name), Type::a);
  }
  static std::string framed(const std::string& packet) {
    return std::string{static_cast<char>(packet.size() >> 8), static_cast<char>(packet.size())} +
           packet;
  }
  // The bytes that come until the other end closes, or `size` of them have come.
  std::string receive(const Fd& fd, size_t size) {
    std::string in;
    bool ended = false;
    run_until([&] {
      while (!ended && in.size() < size && sys::is_readable(fd.get())) {
        std::string more = sys::read_some(fd.get(), size - in.size());
        ended = more.empty();
        in += more;
      }
      return ended || in.size() >= size;
    });
    return in;
  }
  bool is_closed(const Fd& fd) { return sys::is_readable(fd.get()) && !sys::discard(fd.get()); }

  Answers answers{
      Zone("vm", std::chrono::seconds(0), 1, {{"demo", parse_address("address", "127.31.4.1")}})};
  bool knows = true;
  int looks = 0;
  sys::Loop loop;
  Server server;
  int tcp_port = 0, udp_port = 0;
};

// One whose connections may be quiet for a short time only.
struct BriefServerTest : ServerTest {
  BriefServerTest() : ServerTest(brief) {}
};

} // namespace

TEST_F(ServerTest, DatagramsInOneBatchAreLookedAtOnce) {
  Fd fd = sys::connect_udp(here, udp_port);
  for (int id = 1; id <= 50; id++) sys::send_datagram(fd.get(), query(id));
  std::vector<std::string> came;
  run_until([&] {
    std::string packet(2000, '\0');
    while (auto n = sys::receive_datagram(fd.get(), packet.data(), packet.size()))
      came.push_back(packet.substr(0, *n));
    return came.size() == 50;
  });
  for (int id = 1; id <= 50; id++) {
    Reply reply = decode_reply(came.at(static_cast<size_t>(id - 1)), query(id));
    EXPECT_EQ(reply.answer.at(0).data, "127.31.4.1");
  }
  EXPECT_EQ(looks, 1);
  EXPECT_EQ(server.answered(), 50U);
}

TEST_F(ServerTest, ADatagramThatIsTooLongIsNoQuestion) {
  Fd fd = sys::connect_udp(here, udp_port);
  sys::send_datagram(fd.get(), query(1) + std::string(3000, 'x'));
  std::string packet(2000, '\0');
  std::optional<size_t> n;
  run_until([&] { return (n = sys::receive_datagram(fd.get(), packet.data(), packet.size())); });
  EXPECT_EQ(*n, 12U);
  EXPECT_EQ(packet[3] & 15, 1);
}

TEST_F(ServerTest, WithoutAnswersItIsServfailUntilThereAreSome) {
  Fd fd = sys::connect_udp(here, udp_port);
  auto ask = [&] {
    sys::send_datagram(fd.get(), query(1));
    std::string packet(2000, '\0');
    std::optional<size_t> n;
    run_until([&] { return (n = sys::receive_datagram(fd.get(), packet.data(), packet.size())); });
    return decode_reply(packet.substr(0, *n), query(1)).rcode;
  };
  knows = false;
  EXPECT_EQ(ask(), Rcode::servfail);
  knows = true;
  EXPECT_EQ(ask(), Rcode::noerror);
}

TEST_F(ServerTest, QuestionsOverOneConnectionAreAnsweredInTheirOrder) {
  Fd fd = connect();
  std::string all;
  for (int id = 1; id <= 100; id++) all += framed(query(id));
  sys::send_all(fd.get(), all);
  for (int id = 1; id <= 100; id++) {
    std::string head = receive(fd, 2);
    std::string packet = receive(fd, static_cast<size_t>(static_cast<uint8_t>(head[1])));
    EXPECT_EQ(decode_reply(packet, query(id)).answer.size(), 1U);
  }
  EXPECT_LE(looks, 5);
}

TEST_F(ServerTest, AQuestionMayComeInPieces) {
  Fd fd = connect();
  std::string all = framed(query(1)) + framed(query(2));
  for (char c : all.substr(0, all.size() - 1)) {
    sys::send_all(fd.get(), {&c, 1});
    loop.after(Millis(0), [this] { loop.stop(); });
    loop.run();
  }
  std::string head = receive(fd, 2);
  decode_reply(receive(fd, static_cast<size_t>(static_cast<uint8_t>(head[1]))), query(1));
  EXPECT_FALSE(sys::is_readable(fd.get()));
  sys::send_all(fd.get(), all.substr(all.size() - 1));
  head = receive(fd, 2);
  decode_reply(receive(fd, static_cast<size_t>(static_cast<uint8_t>(head[1]))), query(2));
}

TEST_F(ServerTest, WhoAsksAndShutsDownIsAnswered) {
  Fd fd = connect();
  sys::send_all(fd.get(), framed(query(1)) + framed(query(2)));
  ::shutdown(fd.get(), SHUT_WR);
  std::string in = receive(fd, 1000);
  EXPECT_EQ(in.size(), 2 * (query(1).size() + 2 + 16));
}

TEST_F(BriefServerTest, AConnectionThatIsQuietIsClosed) {
  Fd quiet = connect(), half = connect();
  sys::send_all(half.get(), "\0");
  sys::send_all(half.get(), framed(query(1)).substr(0, 10));
  SteadyTime begun = steady_now();
  run_until([&] { return is_closed(quiet) && is_closed(half); });
  EXPECT_GE(steady_now() - begun, brief);
}

TEST_F(BriefServerTest, OneThatAsksStaysOpen) {
  // Longer than one may be quiet that was begun at the same time.
  Fd quiet = connect(), fd = connect();
  for (SteadyTime late = steady_now() + too_long; !is_closed(quiet) && steady_now() < late;) {
    sys::send_all(fd.get(), framed(query(1)));
    std::string head = receive(fd, 2);
    ASSERT_EQ(head.size(), 2U);
    receive(fd, static_cast<size_t>(static_cast<uint8_t>(head[1])));
  }
  EXPECT_TRUE(is_closed(quiet));
  EXPECT_FALSE(is_closed(fd));
}

TEST_F(ServerTest, WhatIsNoQuestionEndsAConnection) {
  Fd fd = connect();
  sys::send_all(fd.get(), framed("short"));
  run_until([&] { return is_closed(fd); });
  Fd other = connect();
  sys::send_all(other.get(), std::string(2, '\0'));
  run_until([&] { return is_closed(other); });
}

TEST_F(BriefServerTest, OneThatTakesNoAnswersIsNotReadOn) {
  Fd fd = connect();
  int small = 4096;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  sys::set_nonblocking(fd.get());
  std::string all;
  for (int i = 0; i < 1000; i++) all += framed(query(i));
  size_t sent = 0, one = framed(query(1)).size(); // all are of one size
  // Every buffer on the way gets full. Then the connection is quiet, and closed with its questions.
  run_until([&] {
    try {
      sent += sys::send_some(fd.get(), std::string_view(all).substr(sent % one));
    } catch (const Error&) {
      return true;
    }
    return sys::wait_hangup(fd.get(), Millis(0));
  });
  EXPECT_LT(server.answered(), sent / one);
}

TEST_F(ServerTest, OfManyConnectionsTheQuietestGivesWay) {
  std::vector<Fd> all;
  for (size_t i = 0; i < Server::most_connections; i++) {
    all.push_back(connect());
    loop.after(Millis(0), [this] { loop.stop(); });
    loop.run(); // it is taken
  }
  auto ask = [&](const Fd& fd) {
    sys::send_all(fd.get(), framed(query(1)));
    return !receive(fd, 20).empty();
  };
  EXPECT_TRUE(ask(all[0])); // all are there, and this one was quiet for the shortest time
  Fd another = connect();
  EXPECT_TRUE(ask(another));
  EXPECT_TRUE(is_closed(all[1]));
  EXPECT_FALSE(is_closed(all[2]));
}

// --- Guests of a network, which are all at 127.0.0.1 or beside it here.

namespace {

class GuestsServerTest : public ServerTest {
protected:
  explicit GuestsServerTest(Millis idle = never) : ServerTest(idle) {
    answers = Answers(Zone("vm", std::chrono::seconds(0), 1,
                           {{"demo", parse_address("address", "10.0.2.4")}},
                           GuestNetwork{Subnet::parse("10.0.2.0/24"),
                                        {{"demo", parse_address("address", here)},
                                         {"other", parse_address("address", "127.0.0.2")}}}));
    server.relay_by([this](const Server::Asker& asker, std::string_view packet, Server::Give give) {
      if (refuses) return false;
      relayed.push_back({asker, std::string(packet), std::move(give)});
      return true;
    });
  }
  struct Relayed {
    Server::Asker asker;
    std::string packet;
    Server::Give give;
  };
  std::string next(const Fd& fd) {
    std::string packet(2000, '\0');
    std::optional<size_t> n;
    run_until([&] { return (n = sys::receive_datagram(fd.get(), packet.data(), packet.size())); });
    return packet.substr(0, *n);
  }
  std::string next_frame(const Fd& fd) {
    std::string head = receive(fd, 2);
    return receive(fd, static_cast<size_t>(static_cast<uint8_t>(head.at(1))));
  }
  // From another address of this host.
  Fd connect_from(const char* address) {
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    auto place = [](const char* at, int port) {
      sockaddr_in a{};
      a.sin_family = AF_INET;
      a.sin_port = htons(static_cast<uint16_t>(port));
      a.sin_addr.s_addr = htonl(parse_address("address", at).value);
      return a;
    };
    sockaddr_in from = place(address, 0), to = place(here, tcp_port);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&from), sizeof from), 0);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    return fd;
  }
  bool is_recursive(const std::string& answer) { return (answer.at(3) & 0x80) != 0; }

  bool refuses = false;
  std::vector<Relayed> relayed;
};

struct BriefGuestsServerTest : GuestsServerTest {
  BriefGuestsServerTest() : GuestsServerTest(brief) {}
};

} // namespace

TEST_F(GuestsServerTest, WhatIsOursIsAnsweredAndTheRestComesLater) {
  Fd fd = sys::connect_udp(here, udp_port);
  sys::send_datagram(fd.get(), query(1, "example.org"));
  sys::send_datagram(fd.get(), query(2));
  std::string answer = next(fd);
  EXPECT_EQ(decode_reply(answer, query(2)).answer.at(0).data, "10.0.2.4");
  EXPECT_TRUE(is_recursive(answer));
  ASSERT_EQ(relayed.size(), 1U);
  EXPECT_EQ(relayed[0].packet, query(1, "example.org"));
  EXPECT_EQ(to_text(relayed[0].asker.address), here);
  EXPECT_FALSE(relayed[0].asker.by_tcp);
  relayed[0].give("later");
  EXPECT_EQ(next(fd), "later");
  // A question that the relay does not take.
  refuses = true;
  sys::send_datagram(fd.get(), query(3, "example.org"));
  EXPECT_EQ(decode_reply(next(fd), query(3, "example.org")).rcode, Rcode::servfail);
}

TEST_F(GuestsServerTest, OverAConnectionAnswersComeAsTheyAreThere) {
  Fd fd = connect();
  sys::send_all(fd.get(), framed(query(1, "example.org")) + framed(query(2)));
  decode_reply(next_frame(fd), query(2));
  ASSERT_EQ(relayed.size(), 1U);
  EXPECT_TRUE(relayed[0].asker.by_tcp);
  // The client asks no more, and waits for its answer.
  ::shutdown(fd.get(), SHUT_WR);
  loop.after(Millis(50), [this] { loop.stop(); });
  loop.run();
  EXPECT_FALSE(is_closed(fd));
  relayed[0].give("later");
  EXPECT_EQ(next_frame(fd), "later");
  run_until([&] { return is_closed(fd); });
}

TEST_F(BriefGuestsServerTest, AnAnswerMayComeWhenItsClientHasGone) {
  Fd fd = connect();
  sys::send_all(fd.get(), framed(query(3, "example.org")));
  run_until([&] { return relayed.size() == 1; });
  run_until([&] { return is_closed(fd); }); // quiet for too long
  relayed[0].give("too late");
}

TEST_F(GuestsServerTest, AGuestWithManyConnectionsTakesNoneOfAnothers) {
  Fd quiet = connect_from("127.0.0.2");
  std::vector<Fd> many;
  for (size_t i = 0; i < 3 * Server::most_of_a_guest; i++) {
    many.push_back(connect_from(here));
    sys::send_all(many.back().get(), framed(query(1)));
    next_frame(many.back());
  }
  EXPECT_TRUE(is_closed(many.front()));
  EXPECT_FALSE(is_closed(many.back()));
  sys::send_all(quiet.get(), framed(query(2)));
  decode_reply(next_frame(quiet), query(2));
}

} // namespace banger::dns

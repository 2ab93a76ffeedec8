// Published ports of UDP, over loopback: the "guest" is a socket of this process.
#include "net/relay.h"

#include "sys/datagram.h"
#include "sys/inet.h"
#include "sys/socket.h"

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>

namespace banger::net {
namespace {

constexpr const char* here = "127.0.0.1";
constexpr Millis in_vain{300}, patience{20'000};

class RelayTest : public testing::Test {
protected:
  RelayTest() { open_guest(); }

  // Sends back what it gets.
  void open_guest() {
    guest = sys::bind_udp(here, guest_port);
    loop.watch(guest.get(), [this] {
      char data[sys::most_datagram];
      sys::UdpPeer peer;
      while (auto size = sys::receive_datagram(guest.get(), data, sizeof data, &peer)) {
        heard++;
        senders.insert(peer.port);
        sys::send_datagram(guest.get(), {data, *size}, &peer);
      }
    });
  }
  void close_guest() {
    loop.forget(guest.get());
    guest.reset();
  }
  Relay::Limits few(size_t clients) {
    Relay::Limits l;
    l.clients = clients;
    return l;
  }
  Relay make(const Relay::Limits& limits = {}, const char* address = here) {
    return {loop, sys::bind_udp(address, host_port), forward, limits};
  }
  Fd client(const char* address = here) { return sys::connect_udp(address, host_port); }

  void run_for(Millis time) {
    loop.after(time, [this] { loop.stop(); });
    loop.run();
  }
  std::optional<std::string> hear(const Fd& fd, Millis time = patience) {
    std::optional<std::string> got;
    loop.watch(fd.get(), [&] {
      std::string data(sys::most_datagram, '\0');
      if (auto size = sys::receive_datagram(fd.get(), data.data(), data.size())) {
        got = data.substr(0, *size);
        loop.stop();
      }
    });
    auto timer = loop.after(time, [this] { loop.stop(); });
    loop.run();
    loop.cancel(timer);
    loop.forget(fd.get());
    return got;
  }
  std::optional<std::string> ask(const Fd& fd, const std::string& text) {
    sys::send_datagram(fd.get(), text);
    return hear(fd);
  }

  int guest_port = sys::free_udp_port(here), host_port = sys::free_udp_port(here);
  Forward forward{{"udp", here, host_port, guest_port}, here};
  sys::Loop loop;
  Fd guest;
  int heard = 0;
  std::set<uint16_t> senders;
};

TEST_F(RelayTest, anAnswerGoesToWhoAsked) {
  Relay relay = make();
  Fd a = client(), b = client();
  EXPECT_EQ(ask(a, "from a"), "from a");
  EXPECT_EQ(ask(b, "from b"), "from b");
  EXPECT_EQ(ask(a, "again"), "again");
  EXPECT_FALSE(hear(b, in_vain));
  EXPECT_EQ(relay.clients(), 2u);
  EXPECT_EQ(senders.size(), 2u); // the guest tells them apart, and knows them again
}

TEST_F(RelayTest, anythingThatIsADatagramPasses) {
  Relay relay = make();
  Fd a = client();
  EXPECT_EQ(ask(a, ""), "");
  std::string most(65507, 'x');
  EXPECT_EQ(ask(a, most), most);
}

TEST_F(RelayTest, onTheWildcardTheAnswerComesFromWhereItWasAsked) {
  Relay relay = make({}, "0.0.0.0");
  // Connected: an answer from 127.0.0.1 would not be heard.
  Fd a = client("127.0.0.77");
  EXPECT_EQ(ask(a, "hello"), "hello");
}

TEST_F(RelayTest, theLongestSilentMakesRoom) {
  Relay relay = make(few(2));
  Fd a = client(), b = client(), c = client();
  EXPECT_TRUE(ask(a, "1"));
  EXPECT_TRUE(ask(b, "2"));
  EXPECT_TRUE(ask(a, "3"));
  EXPECT_TRUE(ask(c, "4")); // b goes
  EXPECT_EQ(relay.clients(), 2u);
  EXPECT_TRUE(ask(a, "5"));
  EXPECT_EQ(senders.size(), 3u); // a is still who it was
  EXPECT_TRUE(ask(b, "6"));
  EXPECT_EQ(senders.size(), 4u); // b is new
  relay.limit_clients(1);
  EXPECT_TRUE(ask(c, "7"));
  EXPECT_EQ(relay.clients(), 1u);
}

TEST_F(RelayTest, theSilentAreForgotten) {
  Relay::Limits limits;
  limits.idle = Millis(500);
  Relay relay = make(limits);
  Fd a = client(), b = client();
  EXPECT_TRUE(ask(a, "1"));
  SteadyTime late = steady_now() + patience;
  do {
    EXPECT_TRUE(ask(b, "2"));
    run_for(Millis(5));
  } while (relay.clients() == 2 && steady_now() < late);
  EXPECT_EQ(relay.clients(), 1u);
  EXPECT_TRUE(ask(b, "3"));
  EXPECT_EQ(senders.size(), 2u); // b is still who it was
  while (relay.clients() > 0 && steady_now() < late) run_for(Millis(5));
  EXPECT_EQ(relay.clients(), 0u);
  EXPECT_TRUE(ask(a, "4"));
}

TEST_F(RelayTest, aGuestThatDoesNotListenYetIsServedLater) {
  Relay relay = make();
  close_guest();
  Fd a = client();
  for (int i = 0; i < 3; i++) sys::send_datagram(a.get(), "lost");
  EXPECT_FALSE(hear(a, in_vain));
  open_guest();
  EXPECT_EQ(ask(a, "heard"), "heard");
  EXPECT_EQ(heard, 1);
}

TEST_F(RelayTest, aFloodTakesItsTurn) {
  Relay::Limits limits;
  limits.burst = 4;
  Relay relay = make(limits);
  Fd a = client();
  for (int i = 0; i < 100; i++) sys::send_datagram(a.get(), "flood");
  // Readable all the time: called once a round.
  auto [reader, writer] = sys::socket_pair();
  sys::send_all(writer.get(), "x");
  int rounds = 0, relayed_then = -1;
  loop.watch(reader.get(), [&] {
    if (++rounds < 10) return;
    relayed_then = heard;
    loop.forget(reader.get());
    loop.stop();
  });
  loop.run();
  EXPECT_GE(relayed_then, 4);
  EXPECT_LE(relayed_then, 40);
  for (int i = 0; i < 1000 && heard < 100; i++) run_for(Millis(10));
  EXPECT_EQ(heard, 100);
}

TEST_F(RelayTest, goneItHasLeftNothingInTheLoop) {
  {
    Relay relay = make();
    Fd a = client();
    EXPECT_TRUE(ask(a, "1"));
  }
  Fd again = sys::bind_udp(here, host_port); // the port is free
  run_for(Millis(20));
}

} // namespace
} // namespace banger::net

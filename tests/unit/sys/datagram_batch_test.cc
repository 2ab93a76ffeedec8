// Datagrams in batches, each answered where it came from and from where it was sent to.
#include <gtest/gtest.h>

#include <sched.h>

#include "sys/datagram.h"
#include "sys/datagram_batch.h"
#include "sys/listen.h"
#include "sys/wait.h"

namespace banger::sys {

namespace {

std::optional<std::string> received(const Fd& fd) {
  char data[2000];
  if (!wait_readable(fd.get(), Millis(10'000))) return {};
  auto n = receive_datagram(fd.get(), data, sizeof data);
  return n ? std::optional(std::string(data, *n)) : std::nullopt;
}

// On a busy machine the kernel delivers later what was sent to loopback, in order for each
// processor: where this has come, so has all that this thread has sent.
class Deliveries {
public:
  Deliveries() : receiver_(bind_udp("127.0.0.1", 0)) {
    ::sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(::sched_getcpu(), &one);
    ::sched_setaffinity(0, sizeof one, &one);
  }
  ~Deliveries() { ::sched_setaffinity(0, sizeof before_, &before_); }
  Deliveries(const Deliveries&) = delete;
  Deliveries& operator=(const Deliveries&) = delete;

  void await() {
    send_datagram(connect_udp("127.0.0.1", port_of(receiver_.get())).get(), "all");
    ASSERT_EQ(received(receiver_), "all");
  }

private:
  Fd receiver_;
  cpu_set_t before_{};
};

} // namespace

TEST(DatagramBatch, EachHasItsAnswer) {
  Fd server = bind_udp("0.0.0.0", 0);
  int port = port_of(server.get());
  Deliveries deliveries;
  DatagramBatch batch;
  EXPECT_EQ(batch.receive(server.get()), 0U);
  // A connected socket hears from the address alone that it sent to.
  std::vector<Fd> clients;
  for (int i = 1; i <= 5; i++) {
    clients.push_back(connect_udp("127.0.0." + std::to_string(i), port));
    send_datagram(clients.back().get(), "from " + std::to_string(i));
  }
  deliveries.await();
  ASSERT_EQ(batch.receive(server.get()), 5U);
  for (size_t i = 0; i < 5; i++) {
    EXPECT_EQ(batch.datagram(i), "from " + std::to_string(i + 1));
    EXPECT_FALSE(batch.is_cut(i));
    if (i != 2) batch.answer(i) = "to " + std::to_string(i + 1);
  }
  batch.send(server.get());
  for (size_t i : {0U, 1U, 3U, 4U}) EXPECT_EQ(received(clients[i]), "to " + std::to_string(i + 1));
  deliveries.await();
  EXPECT_FALSE(is_readable(clients[2].get()));
  // An answer that was sent before is not sent again.
  send_datagram(clients[0].get(), "again");
  deliveries.await();
  ASSERT_EQ(batch.receive(server.get()), 1U);
  EXPECT_EQ(batch.answer(0), "");
  batch.send(server.get());
  deliveries.await();
  EXPECT_FALSE(is_readable(clients[0].get()));
}

TEST(DatagramBatch, OneWhoIsGoneKeepsNoOtherFromHisAnswer) {
  Fd server = bind_udp("127.0.0.1", 0);
  int port = port_of(server.get());
  Deliveries deliveries;
  DatagramBatch batch;
  for (int round = 0; round < 3; round++) {
    Fd first = connect_udp("127.0.0.1", port), last = connect_udp("127.0.0.1", port);
    send_datagram(first.get(), "one");
    send_datagram(last.get(), "two");
    deliveries.await();
    size_t count = batch.receive(server.get());
    if (count == 0) count = batch.receive(server.get()); // the news of the round before
    ASSERT_EQ(count, 2U);
    first.reset();
    batch.answer(0) = batch.answer(1) = "answer";
    batch.send(server.get());
    EXPECT_EQ(received(last), "answer");
  }
}

TEST(DatagramBatch, WhatIsTooLongIsCut) {
  Fd server = bind_udp("127.0.0.1", 0), client = connect_udp("127.0.0.1", port_of(server.get()));
  Deliveries deliveries;
  DatagramBatch batch;
  send_datagram(client.get(), std::string(DatagramBatch::longest, 'x'));
  send_datagram(client.get(), std::string(DatagramBatch::longest + 1, 'x'));
  deliveries.await();
  ASSERT_EQ(batch.receive(server.get()), 2U);
  EXPECT_FALSE(batch.is_cut(0));
  EXPECT_EQ(batch.datagram(0).size(), DatagramBatch::longest);
  EXPECT_TRUE(batch.is_cut(1));
  EXPECT_EQ(batch.datagram(1).size(), DatagramBatch::longest);
}

} // namespace banger::sys

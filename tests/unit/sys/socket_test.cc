// Descriptors that go with a line.
#include "sys/socket.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "sys/datagram.h"
#include "sys/file.h"
#include "sys/inet.h"
#include "sys/lines.h"
#include "sys/wait.h"

namespace banger::sys {
namespace {

size_t open_descriptors() { return list_dir("/proc/self/fd").size(); }

// A message of a peer that has not this code: it may carry any number of descriptors.
void send_many(int socket, std::string data, const std::vector<int>& fds) {
  std::string control(CMSG_SPACE(fds.size() * sizeof(int)), '\0');
  iovec part{data.data(), data.size()};
  msghdr m{};
  m.msg_iov = &part;
  m.msg_iovlen = 1;
  m.msg_control = control.data();
  m.msg_controllen = control.size();
  cmsghdr* c = CMSG_FIRSTHDR(&m);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
  std::memcpy(CMSG_DATA(c), fds.data(), fds.size() * sizeof(int));
  ASSERT_EQ(::sendmsg(socket, &m, 0), static_cast<ssize_t>(data.size()));
}

TEST(Descriptor, comesWithItsLine) {
  auto [a, b] = socket_pair();
  auto [kept, given] = socket_pair();
  send_with_descriptor(a.get(), "with\n", given.get());
  given.reset();

  LineReader lines(b.get());
  Fd came;
  ASSERT_TRUE(lines.fill(&came));
  EXPECT_EQ(lines.buffered(), "with");
  ASSERT_TRUE(came);
  EXPECT_TRUE(::fcntl(came.get(), F_GETFD) & FD_CLOEXEC);
  send_all(came.get(), "hello\n");
  EXPECT_EQ(LineReader(kept.get()).next(Millis(5'000)), "hello");
  a.reset();
  EXPECT_FALSE(lines.fill(&came));
}

TEST(Descriptor, thoseThatNobodyAskedForAreClosed) {
  auto [a, b] = socket_pair();
  auto [c, d] = socket_pair();
  size_t before = open_descriptors();
  {
    LineReader lines(b.get());
    Fd came;
    for (size_t count : {1, 2, 3, 50}) {
      send_many(a.get(), "x", std::vector<int>(count, c.get()));
      ASSERT_TRUE(lines.fill(&came));
      EXPECT_EQ(open_descriptors(), before + 1) << count;
    }
    send_many(a.get(), "x", {c.get(), d.get()});
    ASSERT_TRUE(lines.fill()); // not wanted
    EXPECT_EQ(open_descriptors(), before + 1);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Datagram, aTakenPortIsToldByItsErrno) {
  int port = free_udp_port("127.0.0.1");
  Fd first = bind_udp("127.0.0.1", port);
  EXPECT_TRUE(is_udp(first.get()));
  try {
    bind_udp("127.0.0.1", port);
    ADD_FAILURE() << "bound twice";
  } catch (const Error& e) {
    EXPECT_EQ(e.error_number(), EADDRINUSE);
  }
  auto [a, b] = socket_pair();
  EXPECT_FALSE(is_udp(a.get()));
  EXPECT_FALSE(is_udp(-1));
}

// Its line holds as many as its backlog says, and one more.
TEST(Unix, whoTakesNobodyIsUnreachable) {
  std::string root = testing::TempDir() + "full-XXXXXX";
  ASSERT_TRUE(::mkdtemp(root.data()));
  std::string path = root + "/s";
  Fd listener = listen_unix(path);
  ASSERT_EQ(::listen(listener.get(), 0), 0);
  Fd first = connect_unix(path, Millis(50));
  try {
    connect_unix(path, Millis(50));
    ADD_FAILURE() << "connected";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::unreachable);
    EXPECT_EQ(e.message(), fmt::format("'{}' does not answer", path));
  }
}

struct UnixSocket : testing::Test {
  UnixSocket() {
    if (!::mkdtemp(root.data())) throw sys_error(errno, "cannot make a directory");
    listener = listen_unix(path = root + "/s");
  }
  ~UnixSocket() override { remove_tree(root); }
  std::string root = testing::TempDir() + "unix-XXXXXX", path;
  Fd listener;
};

TEST_F(UnixSocket, IsItsOwnersAlone) {
  mode_t before = ::umask(0);
  Fd other = listen_unix(root + "/other");
  ::umask(before);
  EXPECT_EQ(find_link_info(root + "/other")->mode, 0600u);
}

TEST_F(UnixSocket, OnlyConnectingHasATime) {
  Fd client = connect_unix(path, Millis(50));
  timeval time{1, 1};
  socklen_t size = sizeof time;
  ASSERT_EQ(::getsockopt(client.get(), SOL_SOCKET, SO_SNDTIMEO, &time, &size), 0);
  EXPECT_EQ(time.tv_sec * 1'000'000 + time.tv_usec, 0);
}

TEST(Sending, TakesWhatHasRoomAndTellsHowMuch) {
  auto [a, b] = socket_pair();
  set_nonblocking(a.get());
  std::string data(4 << 20, 'x');
  size_t sent = send_some(a.get(), data);
  EXPECT_GT(sent, 0u);
  EXPECT_LT(sent, data.size());
  EXPECT_EQ(send_some(a.get(), data), 0u);
  size_t got = 0;
  while (got < sent) got += read_some(b.get(), 1 << 20).size();
  EXPECT_EQ(got, sent);
  b.reset();
  EXPECT_THROW(send_some(a.get(), data), Error); // and no SIGPIPE
  EXPECT_THROW(send_all(a.get(), data), Error);
}

TEST(Receiving, WhatIsDroppedIsReadToItsEnd) {
  auto [a, b] = socket_pair();
  EXPECT_TRUE(discard(b.get())); // nothing is there
  send_all(a.get(), std::string(50'000, 'x'));
  EXPECT_TRUE(discard(b.get()));
  send_all(a.get(), "x");
  a.reset();
  EXPECT_FALSE(discard(b.get()));
}

TEST(Lines, ABoundIsNearAndAHalfLineIsNone) {
  auto [a, b] = socket_pair();
  LineReader lines(b.get(), 1000);
  send_all(a.get(), std::string(1000, 'x') + "\n");
  EXPECT_EQ(lines.next(Millis(5'000))->size(), 1000u);
  send_all(a.get(), std::string(1500, 'x'));
  EXPECT_THROW(lines.next(Millis(5'000)), Error);
  auto [c, d] = socket_pair();
  LineReader others(d.get());
  send_all(c.get(), "whole\nhalf");
  EXPECT_EQ(others.next(Millis(5'000)), "whole");
  EXPECT_FALSE(others.next(Millis(20)));
  EXPECT_FALSE(others.ended()); // it may come yet
  c.reset();
  EXPECT_FALSE(others.next(Millis(5'000)));
  EXPECT_TRUE(others.ended());
}

TEST(Ports, OneThatLingersIsFreeAndOneThatIsListenedOnIsNot) {
  int port = free_tcp_port("127.0.0.1");
  EXPECT_TRUE(can_bind_tcp("127.0.0.1", port));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* to = reinterpret_cast<const sockaddr*>(&address);
  int on = 1, err = 0;
  {
    Fd server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::setsockopt(server.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ASSERT_EQ(::bind(server.get(), to, sizeof address), 0);
    ASSERT_EQ(::listen(server.get(), 1), 0);
    EXPECT_FALSE(can_bind_tcp("127.0.0.1", port, &err));
    EXPECT_EQ(err, EADDRINUSE);
    Fd client = connect_tcp("127.0.0.1", port, Millis(5'000));
    Fd served = std::move(*accept_one(server.get()));
    served.reset(); // the server's side ends first, and lingers
    EXPECT_EQ(read_some(client.get(), 1), "");
  }
  EXPECT_TRUE(can_bind_tcp("127.0.0.1", port));
  EXPECT_THROW(connect_tcp("127.0.0.1", port, Millis(5'000)), Error);
}

TEST(Ports, OneThatDoesNotAnswerIsGivenUp) {
  int port = free_tcp_port("127.0.0.1");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Fd server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(server.get(), 0), 0);
  std::vector<Fd> line; // that nobody takes
  std::optional<Code> code;
  for (int i = 0; !code && i < 10; i++) {
    try {
      line.push_back(connect_tcp("127.0.0.1", port, Millis(100)));
    } catch (const Error& e) {
      code = e.code();
    }
  }
  EXPECT_EQ(code, Code::timeout);
}

TEST(Address, isOfEitherFamilyAndInNumbers) {
  for (const char* text : {"127.0.0.1", "::1", "2001:db8::53", "fe80::1%eth0", "::ffff:10.0.0.1"})
    EXPECT_TRUE(is_address(text)) << text;
  for (const char* text : {"", "localhost", "1.2.3", "1.2.3.4%eth0", "fe80::1%", "%eth0", "[::1]"})
    EXPECT_FALSE(is_address(text)) << text;
  // A link that is not there leads nowhere.
  EXPECT_THROW(connect_udp("fe80::1%bngnone", 53), Error);
  EXPECT_THROW(begin_connect_tcp("fe80::1%bngnone", 53), Error);
}

TEST(Datagram, goesBackFromWhereTheOthersLastOneWasSentTo) {
  int port = free_udp_port("127.0.0.1");
  Fd server = bind_udp("0.0.0.0", port);
  EXPECT_FALSE(is_udp(Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)).get()));
  // Hears from nobody but 127.0.0.3.
  Fd client = connect_udp("127.0.0.3", port);
  send_datagram(client.get(), "ask");
  ASSERT_TRUE(wait_readable(server.get(), Millis(5'000)));
  char data[most_datagram];
  UdpPeer from;
  EXPECT_EQ(receive_datagram(server.get(), data, sizeof data, &from), 3u);
  EXPECT_EQ(from.local, htonl(0x7f000003));
  send_datagram(server.get(), "answer", &from);
  ASSERT_TRUE(wait_readable(client.get(), Millis(5'000)));
  EXPECT_EQ(receive_datagram(client.get(), data, sizeof data), 6u);
  EXPECT_FALSE(receive_datagram(client.get(), data, sizeof data));
}

} // namespace
} // namespace banger::sys

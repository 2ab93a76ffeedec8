// Descriptors that go with a line.
#include "sys/socket.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/error.h"
#include "sys/file.h"

namespace banger::sys {
namespace {

size_t open_descriptors() { return list_dir("/proc/self/fd").size(); }

// What a peer may send that has not this code: any number of descriptors.
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

} // namespace
} // namespace banger::sys

// Whether anybody is left to read what is written.
#include <array>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "sys/file.h"
#include "sys/loop.h"
#include "sys/socket.h"

namespace banger::sys {
namespace {

// Nothing is told of `writer` before `leave` was called; then it is told once.
void expect_told(int writer, const std::function<void()>& leave) {
  EXPECT_FALSE(wait_hangup(writer, Millis(20)));
  Loop loop;
  bool left = false;
  int told = 0;
  loop.watch_hangup(writer, [&] {
    EXPECT_TRUE(left);
    told++;
    loop.after(Millis(20), [&] { loop.stop(); });
  });
  loop.after(Millis(20), [&] {
    left = true;
    leave();
  });
  loop.after(Millis(20'000), [&] {
    ADD_FAILURE() << "waited in vain";
    loop.stop();
  });
  loop.run();
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(wait_hangup(writer, {}));
}

TEST(Hangup, OfAPipe) {
  std::array<int, 2> fds{};
  ASSERT_EQ(::pipe2(fds.data(), O_CLOEXEC), 0);
  Fd reader(fds[0]), writer(fds[1]);
  expect_told(writer.get(), [&] { reader.reset(); });
}

TEST(Hangup, OfASocket) {
  auto [reader, writer] = socket_pair();
  send_all(reader.get(), "what comes in does not count");
  expect_told(writer.get(), [&r = reader] { r.reset(); });
}

// So the standard output of a service is connected to the journal.
TEST(Hangup, OfASocketThatShutItsInput) {
  auto [reader, writer] = socket_pair();
  ASSERT_EQ(::shutdown(writer.get(), SHUT_RD), 0);
  EXPECT_TRUE(wait_readable(writer.get(), {}));
  expect_told(writer.get(), [&r = reader] { r.reset(); });
}

// So sshd says that nothing more is typed.
TEST(Hangup, OfASocketIntoWhichNothingMoreIsSent) {
  auto [reader, writer] = socket_pair();
  ASSERT_EQ(::shutdown(reader.get(), SHUT_WR), 0);
  EXPECT_TRUE(wait_readable(writer.get(), {}));
  expect_told(writer.get(), [&r = reader] { r.reset(); });
}

TEST(Hangup, NotOfAFifoThatThisProcessReadsItself) {
  std::string path = testing::TempDir() + "fifo-" + std::to_string(::getpid());
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  Fd fd = open_file(path, O_RDWR);
  remove_file(path);
  write_all(fd.get(), "its own");
  EXPECT_TRUE(wait_readable(fd.get(), {}));
  EXPECT_FALSE(wait_hangup(fd.get(), Millis(20)));
}

TEST(Hangup, OfNoneIsNeverTold) { EXPECT_FALSE(wait_hangup(-1, Millis(1))); }

} // namespace
} // namespace banger::sys

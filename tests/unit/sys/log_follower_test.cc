// Following a log whose front is cut off.
#include <cstdlib>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "sys/copy.h"
#include "sys/file.h"
#include "sys/log_follower.h"

namespace banger::sys {
namespace {

class LogFollowerTest : public testing::Test {
protected:
  LogFollowerTest() {
    char name[] = "/tmp/blog.XXXXXX";
    fd = ::mkstemp(name);
    path = name;
  }
  ~LogFollowerTest() override {
    ::close(fd);
    ::unlink(path.c_str());
  }
  void append(const std::string& text) {
    std::ofstream(path, std::ios::app | std::ios::binary) << text;
  }
  // As a file system does that can take a range out.
  void cut(size_t bytes) {
    std::string all = read_file(path).substr(bytes);
    ASSERT_EQ(::ftruncate(fd, 0), 0);
    append(all);
  }
  static std::string lines(int from, int to) {
    std::string out;
    for (int i = from; i < to; i++) out += fmt::format("line {:06}\n", i); // 12 bytes
    return out;
  }
  static std::string all_of(LogFollower& f) {
    std::string all;
    for (std::string part = f.next(); !part.empty(); part = f.next()) all += part;
    return all;
  }

  int fd;
  std::string path;
};

TEST_F(LogFollowerTest, TailThenWhatComes) {
  append("one\ntwo\nthree");
  LogFollower f(path);
  EXPECT_EQ(f.tail(2), "two\nthree");
  EXPECT_EQ(f.next(), "");
  append(" and more\n");
  EXPECT_EQ(f.next(), " and more\n");
  EXPECT_EQ(f.next(), "");
  LogFollower g(path);
  EXPECT_EQ(g.tail(1), "three and more\n");
  LogFollower h(path);
  EXPECT_EQ(h.tail(0), "one\ntwo\nthree and more\n");
}

TEST_F(LogFollowerTest, AFileThatComesLater) {
  ::unlink(path.c_str());
  LogFollower f(path);
  EXPECT_EQ(f.tail(0), "");
  EXPECT_EQ(f.next(), "");
  append("here\n");
  EXPECT_EQ(f.next(), "here\n");
}

TEST_F(LogFollowerTest, ACutLosesAndRepeatsNothing) {
  append(lines(0, 3000));
  LogFollower f(path);
  EXPECT_EQ(f.tail(0), lines(0, 3000));
  cut(12 * 1000);
  EXPECT_EQ(all_of(f), "");
  append(lines(3000, 3100));
  EXPECT_EQ(all_of(f), lines(3000, 3100));
  // Cut and grown beyond the old size between two looks.
  cut(12 * 1500);
  append(lines(3100, 9000));
  EXPECT_EQ(all_of(f), lines(3100, 9000));
}

TEST_F(LogFollowerTest, WhereItsPlaceIsGoneItGoesOnWithTheOldest) {
  append(lines(0, 1000));
  LogFollower f(path);
  f.tail(0);
  append(lines(1000, 3000));
  cut(12 * 2000);
  EXPECT_EQ(all_of(f), lines(2000, 3000));
  append(lines(3000, 3001));
  EXPECT_EQ(all_of(f), lines(3000, 3001));
}

TEST_F(LogFollowerTest, AHoleIsNoText) {
  append(lines(0, 1000));
  LogFollower f(path);
  f.tail(0);
  append(lines(1000, 100'000));
  if (::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096 * 10) != 0)
    GTEST_SKIP() << "no holes here";
  std::string rest = all_of(f);
  EXPECT_EQ(rest.find('\0'), std::string::npos);
  EXPECT_TRUE(lines(0, 100'000).ends_with(rest));
  EXPECT_EQ(rest.size(), 12 * 100'000u - 4096 * 10);
}

// The cut that a monitor makes, on whatever file system this is.
TEST_F(LogFollowerTest, TheRealCut) {
  append(lines(0, 50'000));
  LogFollower f(path);
  f.tail(1);
  ASSERT_GE(cut_front(fd, 100'000), 0);
  append(lines(50'000, 50'010));
  EXPECT_EQ(all_of(f), lines(50'000, 50'010));
}

} // namespace
} // namespace banger::sys

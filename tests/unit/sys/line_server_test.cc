// No client of a LineServer can hold up or harm the others.
#include <algorithm>
#include <stdexcept>

#include <gtest/gtest.h>

#include <sys/socket.h>

#include "core/units.h"
#include "sys/line_server.h"
#include "sys/lines.h"
#include "sys/socket.h"
#include "sys/wait.h"

namespace banger::sys {

namespace {

constexpr Millis too_long{20'000};

class LineServerTest : public testing::Test {
protected:
  using Client = std::shared_ptr<LineServer::Client>;

  LineServerTest()
      : server(loop, {[this](const Client& c, const std::string& line) { hear(c, line); },
                      [this](const Error& e) {
                        faults.push_back(e.message());
                        return "fault\n";
                      },
                      {},
                      [this](const Client& c) { gone += c != nullptr; }}) {}

  virtual void hear(const Client& client, const std::string& line) {
    heard.push_back(line);
    if (line == "bad") throw failed("that is bad");
    if (line == "worse") throw std::runtime_error("that is worse");
    if (line == "pause") client->pause();
    if (line == "echo") client->send("echo\n");
    if (line == "descriptor") client->send_with("there\n", pipe.read.get());
  }

  Fd connect() {
    auto [ours, theirs] = socket_pair();
    last = server.add(std::move(ours));
    return std::move(theirs);
  }
  // Until `done`, which is looked at after each round.
  void run_until(const std::function<bool()>& done) {
    SteadyTime late = steady_now() + too_long;
    while (!done() && steady_now() < late) {
      loop.after(Millis(1), [this] { loop.stop(); });
      loop.run();
    }
    EXPECT_TRUE(done());
  }
  static std::string now(int fd) {
    return wait_readable(fd, Millis(0)) ? read_some(fd, 1 << 20) : "";
  }

  Pipe pipe = make_pipe();
  Loop loop;
  std::vector<std::string> heard, faults;
  int gone = 0;
  LineServer server;
  LineServer::Peer last;
};

} // namespace

TEST_F(LineServerTest, EachIsHeardAndAllAreTold) {
  Fd a = connect(), b = connect();
  send_all(a.get(), "one\ntw");
  send_all(b.get(), "echo\n");
  run_until([&] { return heard.size() == 2; });
  send_all(a.get(), "o\n");
  run_until([&] { return heard.size() == 3; });
  EXPECT_EQ(heard.back(), "two");
  server.send("all\n");
  EXPECT_EQ(now(a.get()), "all\n");
  EXPECT_EQ(now(b.get()), "echo\nall\n");
}

TEST_F(LineServerTest, OneThatLeavesIsToldOfOnceHoweverItLeaves) {
  Fd a = connect(), b = connect(), c = connect();
  send_all(a.get(), "one\n");
  a.reset();
  run_until([&] { return gone == 1; });
  send_all(b.get(), "bad\n"); // it is made to leave
  run_until([&] { return gone == 2; });
  b.reset();
  send_all(c.get(), "two\n");
  run_until([&] { return heard.size() == 3; });
  EXPECT_EQ(gone, 2);
}

TEST_F(LineServerTest, WhatIsThrownCostsThatClientItsConnectionAlone) {
  Fd a = connect(), b = connect(), c = connect();
  send_all(a.get(), "bad\nnever\n");
  send_all(b.get(), "worse\n");
  run_until([&] { return faults.size() == 2; });
  EXPECT_EQ(LineReader(a.get()).next(too_long), "fault");
  EXPECT_FALSE(LineReader(a.get()).next(too_long)); // the end
  EXPECT_EQ(LineReader(b.get()).next(too_long), "fault");
  send_all(c.get(), "still here\n");
  run_until([&] { return heard.back() == "still here"; });
  EXPECT_EQ(std::count(heard.begin(), heard.end(), "never"), 0);
}

TEST_F(LineServerTest, ADescriptorComesWithItsLine) {
  Fd a = connect();
  send_all(a.get(), "descriptor\n");
  run_until([&] { return is_readable(a.get()); });
  LineReader lines(a.get());
  Fd came;
  EXPECT_TRUE(lines.fill(&came));
  EXPECT_EQ(lines.buffered(), "there");
  ASSERT_TRUE(came);
  EXPECT_EQ(::write(pipe.write.get(), "x", 1), 1);
  EXPECT_EQ(read_some(came.get(), 10), "x");
}

TEST_F(LineServerTest, ALineWithoutEndIsAFault) {
  Fd a = connect();
  std::string text(2 << 20, 'x');
  size_t sent = 0;
  set_nonblocking(a.get());
  run_until([&] {
    ssize_t n = ::send(a.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (n > 0) sent += static_cast<size_t>(n);
    return faults.size() == 1;
  });
}

TEST_F(LineServerTest, OneThatTakesNothingHearsNoMoreAndIsSeenToEnd) {
  Fd deaf = connect();
  LineServer::Peer peer = last;
  Fd other = connect();
  std::string line(1000, 'x');
  line += "\n";
  size_t sent = 0, got = 0;
  while (sent < size_t{2} << 20) { // more than a socket and what waits may hold
    server.send(line);
    sent += line.size();
    got += now(other.get()).size();
  }
  EXPECT_EQ(got, sent);
  EXPECT_FALSE(peer.expired());
  size_t kept = 0;
  loop.watch(deaf.get(), [&] { kept += read_some(deaf.get(), 1 << 20).size(); });
  for (size_t before = 1; before != kept;) {
    before = kept;
    loop.after(Millis(20), [this] { loop.stop(); });
    loop.run();
  }
  EXPECT_LT(kept, sent);
  loop.forget(deaf.get());
  deaf.reset();
  run_until([&] { return peer.expired(); });
}

TEST_F(LineServerTest, OneThatIsPausedIsReadOnWhereItStood) {
  Fd a = connect(), b = connect();
  send_all(a.get(), "one\npause\ntwo\nthree\n");
  run_until([&] { return heard.size() == 2; });
  send_all(a.get(), "four\n");
  send_all(b.get(), "other\n");
  run_until([&] { return heard.size() == 3; });
  EXPECT_EQ(heard.back(), "other");
  server.resume();
  run_until([&] { return heard.size() == 6; });
  EXPECT_EQ(heard, (std::vector<std::string>{"one", "pause", "other", "two", "three", "four"}));
}

TEST_F(LineServerTest, OneThatEndsWhileItIsPausedIsForgottenAfterwards) {
  Fd a = connect();
  LineServer::Peer peer = last;
  send_all(a.get(), "pause\nlast\n");
  run_until([&] { return heard.size() == 1; });
  a.reset();
  server.resume();
  run_until([&] { return peer.expired(); });
  EXPECT_EQ(heard, (std::vector<std::string>{"pause", "last"}));
}

} // namespace banger::sys

// Which callback runs when, and whether a reader is left for written bytes.
#include <array>
#include <csignal>
#include <stdexcept>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "sys/file.h"
#include "sys/loop.h"
#include "sys/socket.h"
#include "sys/wait.h"

namespace banger::sys {
namespace {

// A loop that ends by itself where what is awaited does not come.
struct TimedLoop : Loop {
  TimedLoop() {
    after(Millis(20'000), [this] {
      ADD_FAILURE() << "waited in vain";
      stop();
    });
  }
};

// Two sockets that are readable at once; whichever is called first is `first`.
struct TwoReadable {
  std::pair<Fd, Fd> one = socket_pair(), two = socket_pair();
  TwoReadable() {
    send_all(one.second.get(), "x");
    send_all(two.second.get(), "x");
  }
};

TEST(Watches, ANumberThatIsGivenOutAgainGetsNoEventOfTheOneBefore) {
  TwoReadable both;
  TimedLoop loop;
  int called = 0, stale = 0;
  auto [quiet, far] = socket_pair();
  auto replace = [&](Fd& other) {
    called++;
    int number = other.get();
    loop.forget(number);
    ASSERT_EQ(::dup2(quiet.get(), number), number); // closed, and opened under the same number
    loop.watch(number, [&] { stale++; });
    loop.after(Millis(0), [&] { loop.stop(); });
  };
  loop.watch(both.one.first.get(), [&] { replace(both.two.first); });
  loop.watch(both.two.first.get(), [&] { replace(both.one.first); });
  loop.run();
  EXPECT_EQ(called, 1);
  EXPECT_EQ(stale, 0);
}

TEST(Watches, AnotherCallbackForADescriptorIsCalledInTheNextRound) {
  auto [ours, theirs] = socket_pair();
  send_all(theirs.get(), "x");
  TimedLoop loop;
  std::vector<int> calls;
  loop.watch(ours.get(), [&, fd = ours.get()] {
    calls.push_back(1);
    loop.watch(fd, [&] {
      calls.push_back(2);
      loop.stop();
    });
  });
  loop.run();
  EXPECT_EQ(calls, (std::vector{1, 2}));
}

TEST(Watches, ACallbackMayForgetItselfAndGoesOn) {
  auto [ours, theirs] = socket_pair();
  send_all(theirs.get(), "x");
  TimedLoop loop;
  std::string captured = "what it captured lives as long as it runs";
  int called = 0;
  loop.watch(ours.get(), [&loop, &called, captured, fd = ours.get()] {
    loop.forget(fd);
    called += captured.size() == 41 ? 1 : 100;
    loop.after(Millis(5), [&loop] { loop.stop(); });
  });
  loop.run();
  EXPECT_EQ(called, 1);
}

TEST(Watches, OneThatAnotherForgotIsNotCalled) {
  TwoReadable both;
  TimedLoop loop;
  int called = 0;
  auto forget_the_other = [&](Fd& other) {
    called++;
    loop.forget(other.get());
    loop.after(Millis(0), [&] { loop.stop(); });
  };
  loop.watch(both.one.first.get(), [&] { forget_the_other(both.two.first); });
  loop.watch(both.two.first.get(), [&] { forget_the_other(both.one.first); });
  loop.run();
  EXPECT_EQ(called, 1);
}

TEST(Watches, ReadingAndWritingOfOneDescriptorAreTwo) {
  auto [ours, theirs] = socket_pair();
  send_all(theirs.get(), "x");
  TimedLoop loop;
  int reads = 0, writes = 0;
  int fd = ours.get();
  loop.watch(fd, [&] { reads++, loop.forget(fd); });
  loop.watch_writable(fd, [&] {
    if (++writes == 3) loop.stop();
  });
  loop.run();
  EXPECT_EQ(reads, 1);
  EXPECT_EQ(writes, 3);
}

TEST(Watches, AnExceptionLeavesTheLoopWhichCanRunOn) {
  auto [ours, theirs] = socket_pair();
  send_all(theirs.get(), "x");
  TimedLoop loop;
  bool thrown = false;
  loop.watch(ours.get(), [&] {
    if (thrown) return loop.stop();
    thrown = true;
    throw std::runtime_error("of a callback");
  });
  EXPECT_THROW(loop.run(), std::runtime_error);
  loop.run();
  loop.after(Millis(0), [] { throw std::runtime_error("of a timer"); });
  loop.forget(ours.get());
  EXPECT_THROW(loop.run(), std::runtime_error);
}

TEST(Timers, RunInTheOrderOfTheirTimes) {
  TimedLoop loop;
  std::vector<int> order;
  loop.after(Millis(20), [&] { order.push_back(2), loop.stop(); });
  loop.after(Millis(10), [&] { order.push_back(1); });
  loop.after(Millis(-5), [&] { order.push_back(0); });
  loop.run();
  EXPECT_EQ(order, (std::vector{0, 1, 2}));
}

TEST(Timers, ComeNoEarlierThanTheirTimeAndNotMuchLater) {
  TimedLoop loop;
  bool in_time = false;
  // A busy machine is late now and then, a loop that is wrong always.
  for (int i = 0; i < 20 && !in_time; i++) {
    auto began = steady_now();
    loop.after(Millis(40), [&] { loop.stop(); });
    loop.run();
    auto took = steady_now() - began;
    EXPECT_GE(took, Millis(40));
    in_time = took < Millis(540);
  }
  EXPECT_TRUE(in_time);
}

TEST(Timers, OneThatIsCancelledInItsRoundDoesNotRun) {
  TimedLoop loop;
  SteadyTime when = steady_now();
  int ran = 0;
  Loop::Timer second = 0, own = 0;
  own = loop.at(when, [&] {
    ran++;
    loop.cancel(second);
    loop.cancel(own); // itself: it has run
  });
  second = loop.at(when, [&] { ran += 10; });
  loop.at(when, [&] { loop.stop(); });
  loop.run();
  EXPECT_EQ(ran, 1);
}

TEST(Timers, OneThatSetsItselfAgainKeepsNoDescriptorWaiting) {
  auto [ours, theirs] = socket_pair();
  TimedLoop loop;
  int ticks = 0;
  std::function<void()> tick = [&, far = theirs.get()] {
    if (++ticks == 1) send_all(far, "x");
    ASSERT_LT(ticks, 10'000) << "the descriptor was never looked at";
    loop.at(SteadyTime{}, tick);
  };
  loop.at(SteadyTime{}, tick);
  loop.watch(ours.get(), [&] { loop.stop(); });
  loop.run();
}

TEST(Timers, AStopInOneIsTheEnd) {
  TimedLoop loop;
  SteadyTime when = steady_now();
  int ran = 0;
  loop.at(when, [&] { ran++, loop.stop(); });
  loop.at(when, [&] { ran++; });
  loop.run();
  EXPECT_EQ(ran, 1);
}

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

TEST(Waiting, ForAnyOfThemTellsWhich) {
  Pipe one = make_pipe(), two = make_pipe();
  ASSERT_EQ(::write(two.write.get(), "x", 1), 1);
  std::array<pollfd, 3> polled{
      {{one.read.get(), POLLIN, 0}, {-1, POLLIN, 0}, {two.read.get(), POLLIN, 0}}};
  EXPECT_EQ(wait_any(polled), 1u);
  EXPECT_FALSE(polled[0].revents || polled[1].revents);
  EXPECT_TRUE(polled[2].revents & POLLIN);
  EXPECT_TRUE(is_readable(two.read.get()));
  EXPECT_FALSE(is_readable(one.read.get()));
  one.write.reset(); // its end is to be read, too
  EXPECT_EQ(wait_any(polled, 0), 2u);
}

TEST(Waiting, EndsWithItsTimeAndNoEarlierForASignal) {
  struct sigaction nothing {
  }, before{};
  nothing.sa_handler = [](int) {}; // without SA_RESTART
  ::sigaction(SIGALRM, &nothing, &before);
  itimerval soon{{0, 5'000}, {0, 5'000}}, never{};
  ::setitimer(ITIMER_REAL, &soon, nullptr);
  auto began = steady_now();
  pollfd none{-1, POLLIN, 0};
  EXPECT_EQ(wait_any({&none, 1}, 60), 0u);
  EXPECT_GE(steady_now() - began, Millis(60));
  began = steady_now();
  sleep_for(Millis(60));
  EXPECT_GE(steady_now() - began, Millis(60));
  ::setitimer(ITIMER_REAL, &never, nullptr);
  ::sigaction(SIGALRM, &before, nullptr);
}

TEST(Waiting, APipeIsNotInheritedAndBlocksUnlessAsked) {
  for (bool nonblocking : {false, true}) {
    Pipe pipe = make_pipe(nonblocking);
    for (int fd : {pipe.read.get(), pipe.write.get()}) {
      EXPECT_TRUE(::fcntl(fd, F_GETFD) & FD_CLOEXEC);
      EXPECT_EQ((::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0, nonblocking);
    }
  }
}

TEST(Hangup, OfNoneIsNeverTold) { EXPECT_FALSE(wait_hangup(-1, Millis(1))); }

} // namespace
} // namespace banger::sys

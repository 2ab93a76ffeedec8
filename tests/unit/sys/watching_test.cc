// Signals as events, changes of a tree, what a process uses, namespaces.
#include <csignal>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/error.h"
#include "sys/file.h"
#include "sys/namespace.h"
#include "sys/proc.h"
#include "sys/process.h"
#include "sys/signals.h"
#include "sys/socket.h"
#include "sys/usage.h"
#include "sys/wait.h"
#include "sys/watch_tree.h"

namespace banger::sys {
namespace {

constexpr Millis soon{10'000}, at_once{0};

TEST(Signals, AreTakenOneByOneAndHeldBackMeanwhile) {
  Signals signals({SIGUSR1, SIGUSR2});
  EXPECT_FALSE(wait_readable(signals.fd(), at_once));
  ::raise(SIGUSR2);
  ASSERT_TRUE(wait_readable(signals.fd(), soon));
  EXPECT_EQ(read_signal(signals.fd()), SIGUSR2);
  EXPECT_FALSE(wait_readable(signals.fd(), at_once));
}

volatile sig_atomic_t delivered = 0;

TEST(Signals, OneThatWasOnlySeenIsDeliveredAfterwards) {
  auto before = ::signal(SIGUSR1, [](int) { delivered = 1; });
  {
    Signals signals({SIGUSR1});
    ::raise(SIGUSR1);
    EXPECT_TRUE(wait_readable(signals.fd(), soon));
    EXPECT_EQ(delivered, 0);
  }
  EXPECT_EQ(delivered, 1);
  ::signal(SIGUSR1, before);
}

TEST(Signals, OneThatIsIgnoredStaysIgnored) {
  auto before = ::signal(SIGUSR1, SIG_IGN);
  {
    Signals signals({SIGUSR1});
    ::raise(SIGUSR1);
    EXPECT_FALSE(wait_readable(signals.fd(), at_once));
  }
  ::signal(SIGUSR1, before);
}

TEST(Signals, OneThatWaitsInterruptsWaiting) {
  auto before = ::signal(SIGHUP, SIG_DFL); // it is ignored below nohup
  Signals signals({SIGHUP});
  EXPECT_NO_THROW(throw_if_interrupted());
  auto [ours, theirs] = socket_pair();
  write_all(theirs.get(), "x");
  EXPECT_NO_THROW(wait_or_interrupt(ours.get()));
  ::raise(SIGHUP);
  EXPECT_THROW(throw_if_interrupted(), Error);
  EXPECT_THROW(wait_or_interrupt(ours.get()), Error);
  EXPECT_TRUE(wait_readable(interruptions().get(), at_once));
  EXPECT_EQ(read_signal(signals.fd()), SIGHUP);
  EXPECT_NO_THROW(throw_if_interrupted());
  ::signal(SIGHUP, before);
}

struct Watched : testing::Test {
  std::string dir = testing::TempDir() + "/watched-" + std::to_string(::getpid());
  void SetUp() override { make_dirs(dir + "/a"); }
  void TearDown() override { remove_tree(dir); }
};

TEST_F(Watched, ChangesAnywhereBelowAreTold) {
  TreeWatch watch(dir);
  EXPECT_FALSE(watch.take());
  auto told = [&](const std::function<void()>& change) {
    change();
    return wait_readable(watch.fd(), soon) && watch.take();
  };
  EXPECT_TRUE(told([&] { write_atomic(dir + "/a/f", "x"); }));
  EXPECT_TRUE(told([&] { make_dirs(dir + "/b/c"); }));
  // Directories that came later are watched, too.
  EXPECT_TRUE(told([&] { write_atomic(dir + "/b/c/f", "x"); }));
  EXPECT_TRUE(told([&] { append(dir + "/b/c/f", "y"); }));
  EXPECT_TRUE(told([&] { set_mode(dir + "/a/f", 0640); }));
  EXPECT_TRUE(told([&] { remove_tree(dir + "/b"); }));
  EXPECT_TRUE(told([&] { rename(dir + "/a/f", dir + "/f"); }));
  while (wait_readable(watch.fd(), at_once)) watch.take();
  EXPECT_FALSE(watch.take());
}

TEST_F(Watched, ATreeThatGoesIsToldAsGone) {
  TreeWatch watch(dir);
  remove_tree(dir);
  try {
    while (wait_readable(watch.fd(), soon)) watch.take();
    FAIL() << "nothing was told";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::not_found);
  }
}

TEST(Usage, OfThisProcessAndOfNoneThatIsGone) {
  auto before = find_usage(this_process());
  ASSERT_TRUE(before);
  EXPECT_GT(before->rss, int64_t{1} << 20);
  volatile int64_t sum = 0;
  for (int64_t i = 0; i < 20'000'000; i++) sum = sum + i;
  auto after = find_usage(this_process());
  ASSERT_TRUE(after);
  EXPECT_GT(after->cpu_ns, before->cpu_ns);
  EXPECT_LT(after->cpu_ns - before->cpu_ns, int64_t{60} * 1'000'000'000);
  if (after->pss) {
    EXPECT_LE(*after->pss, after->rss + (int64_t{64} << 20));
  }
  // The same number, another process.
  ProcessId other = this_process();
  other.start_time += 1;
  EXPECT_FALSE(find_usage(other));
}

TEST(Usage, OfInterfacesThatAreThere) {
  auto loopback = find_interface_bytes(::getpid(), "lo");
  ASSERT_TRUE(loopback);
  EXPECT_EQ(loopback->received, loopback->sent);
  EXPECT_FALSE(find_interface_bytes(::getpid(), "no-such-link"));
  EXPECT_FALSE(find_interface_bytes(::getpid(), "l")); // half a name is none
}

TEST(Namespaces, OfThisProcessAndOfNoneThatIsGone) {
  auto ours = open_namespaces(this_process());
  ASSERT_TRUE(ours);
  EXPECT_TRUE(ours->net);
  EXPECT_FALSE(ours->user);
  EXPECT_EQ(ours->net_id, find_info("/proc/self/ns/net")->ino);
  ProcessId other = this_process();
  other.start_time += 1;
  EXPECT_FALSE(open_namespaces(other));
}

} // namespace
} // namespace banger::sys

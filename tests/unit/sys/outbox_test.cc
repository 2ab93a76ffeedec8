// Bytes that the other end does not take wait, and nothing else does.
#include <memory>

#include <gtest/gtest.h>

#include <fcntl.h>

#include "core/units.h"
#include "sys/file.h"
#include "sys/outbox.h"
#include "sys/socket.h"

namespace banger::sys {

namespace {

constexpr Millis too_long{20'000};

// Reads `n` bytes, running the loop for each that is not there yet.
std::string take(Loop& loop, int fd, size_t n) {
  std::string all;
  Loop::Timer late = loop.after(too_long, [&] { loop.stop(); });
  loop.watch(fd, [&] {
    std::string some = read_some(fd, 1 << 20);
    all += some;
    if (all.size() >= n || some.empty()) loop.stop();
  });
  if (n > 0) loop.run();
  loop.forget(fd);
  loop.cancel(late);
  return all;
}

std::string much() {
  std::string text;
  for (int i = 0; text.size() < size_t{4} << 20; i++) text += std::to_string(i) + "\n";
  return text;
}

} // namespace

TEST(Outbox, WhatIsNotTakenWaitsAndArrivesInOrder) {
  auto [ours, theirs] = socket_pair();
  Loop loop;
  int told = 0;
  Outbox out(loop, ours.get(), [&] { told++; });
  std::string text = much();
  EXPECT_TRUE(out.send(text)); // and returns
  size_t waiting = out.waiting();
  EXPECT_GT(waiting, 0u);
  EXPECT_TRUE(out.send("the end"));
  EXPECT_EQ(out.waiting(), waiting + 7);
  EXPECT_EQ(take(loop, theirs.get(), text.size() + 7), text + "the end");
  EXPECT_EQ(out.waiting(), 0u);
  EXPECT_GT(told, 0);
}

TEST(Outbox, TheOtherEndIsGone) {
  auto [ours, theirs] = socket_pair();
  Loop loop;
  Outbox out(loop, ours.get());
  EXPECT_TRUE(out.send(much()));
  theirs.reset();
  EXPECT_FALSE(out.send("more"));
  EXPECT_EQ(out.waiting(), 0u); // it would never be taken
  EXPECT_FALSE(out.send("more"));
}

TEST(Outbox, WhoIsToldThatSomeWasTakenMayEndIt) {
  auto [ours, theirs] = socket_pair();
  Loop loop;
  std::unique_ptr<Outbox> out;
  bool told = false;
  out = std::make_unique<Outbox>(loop, ours.get(), [&] {
    out.reset();
    told = true;
  });
  EXPECT_TRUE(out->send(much()));
  EXPECT_FALSE(take(loop, theirs.get(), 1).empty());
  loop.after(too_long, [&] { loop.stop(); });
  loop.after(Millis(20), [&] { loop.stop(); });
  loop.run();
  EXPECT_TRUE(told);
  EXPECT_FALSE(out);
}

TEST(Outbox, AFifoThatIsFullWaitsToo) {
  std::string dir = "/tmp/bo.XXXXXX";
  ASSERT_TRUE(::mkdtemp(dir.data()));
  make_fifo(dir + "/f");
  Fd both = open_file(dir + "/f", O_RDWR | O_NONBLOCK);
  Fd reader = open_file(dir + "/f", O_RDONLY | O_NONBLOCK);
  remove_tree(dir);
  Loop loop;
  Outbox out(loop, both.get());
  std::string text = much();
  EXPECT_TRUE(out.send(text));
  EXPECT_GT(out.waiting(), 0u);
  EXPECT_EQ(take(loop, reader.get(), text.size()), text);
}

} // namespace banger::sys

#include <csignal>
#include <mutex>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "core/error.h"
#include "sys/copy.h"
#include "sys/file.h"
#include "sys/lines.h"
#include "sys/lock.h"
#include "sys/proc.h"
#include "sys/process.h"
#include "sys/socket.h"

namespace banger::sys {

namespace {

struct InDir : testing::Test {
  std::string dir = testing::TempDir() + "/sys-" + std::to_string(::getpid());
  void SetUp() override { make_dirs(dir); }
  void TearDown() override { remove_tree(dir); }
};

// Waits until `n` wait for a lock on the file behind `path`: its lines of /proc/locks with "->".
void await_waiters(const std::string& path, int n) {
  struct stat s;
  ASSERT_EQ(::stat(path.c_str(), &s), 0);
  std::string inode = ":" + std::to_string(s.st_ino) + " ";
  for (int found = -1; found != n; std::this_thread::yield()) {
    found = 0;
    std::istringstream lines(read_file("/proc/locks"));
    for (std::string line; std::getline(lines, line);)
      if (line.find("->") != std::string::npos && line.find(inode) != std::string::npos) found++;
  }
}

} // namespace

using Lock = InDir;
using Process = InDir;
using Files = InDir;
using Sockets = InDir;

TEST_F(Lock, IsSeenWithoutBeingTaken) {
  std::string path = dir + "/lock";
  EXPECT_FALSE(FileLock::is_held(path)); // absent
  {
    FileLock lock = FileLock::take(path);
    EXPECT_TRUE(FileLock::is_held(path));
    EXPECT_FALSE(FileLock::try_take(path));
  }
  EXPECT_FALSE(FileLock::is_held(path));
  EXPECT_TRUE(FileLock::try_take(path));
}

TEST_F(Lock, IsNotInheritedByAProgramThatIsStarted) {
  std::string path = dir + "/lock";
  auto lock = FileLock::try_take(path);
  Child sleeper = spawn({{"sleep", "60"}, {}, {}, false}, {});
  lock.reset();
  EXPECT_FALSE(FileLock::is_held(path));
  sleeper.kill(SIGKILL);
  EXPECT_EQ(sleeper.wait().signal, SIGKILL);
}

TEST_F(Lock, ALineServesThemAsTheyCame) {
  std::string path = dir + "/line";
  Line first(path);
  auto turn = first.stand(steady_now());
  ASSERT_TRUE(turn);
  std::mutex mutex;
  std::vector<int> served;
  std::vector<std::thread> waiting;
  for (int i = 0; i < 5; i++) {
    waiting.emplace_back([&, i] {
      Line line(path);
      auto mine = line.stand(steady_now() + std::chrono::seconds(60));
      std::lock_guard lock(mutex);
      served.push_back(mine ? i : -1);
    });
    await_waiters(path, i + 1);
  }
  turn.reset();
  for (auto& t : waiting) t.join();
  EXPECT_EQ(served, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST_F(Lock, NobodyStandsInALineForEver) {
  std::string path = dir + "/line";
  Line stuck(path), line(path);
  auto turn = stuck.stand(steady_now());
  auto begun = steady_now();
  EXPECT_FALSE(line.stand(begun + Millis(120)));
  auto took = steady_now() - begun;
  EXPECT_GE(took, Millis(120));
  EXPECT_LT(took, std::chrono::seconds(5));
  turn.reset();
  EXPECT_TRUE(line.stand(steady_now()));
}

// A waiter for a lock whose owner is gone, and its file with it, has nothing.
TEST_F(Lock, OneWhoseFileGoesMeanwhileIsNoLock) {
  std::string path = dir + "/gone";
  auto held = std::make_optional(FileLock::take(path));
  Code code = Code::failed;
  std::thread waiter([&] {
    try {
      FileLock::take(path);
    } catch (const Error& e) {
      code = e.code();
    }
  });
  await_waiters(path, 1);
  remove_file(path);
  held.reset();
  waiter.join();
  EXPECT_EQ(code, Code::not_found);
}

TEST_F(Process, AProgramThatIsNotThereIsNamed) {
  try {
    Child child = spawn({{"banger-no-such-program"}, {}, {}, false}, {});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.error_number(), ENOENT);
    EXPECT_NE(e.message().find("'banger-no-such-program'"), std::string::npos);
  }
}

TEST_F(Process, StreamsAreKeptApartAndLargeInputIsNoDeadlock) {
  std::string input(3 << 20, 'x');
  RunResult r = run({{"sh", "-c", "cat; echo oops >&2; exit 3"}, {}, dir, false}, input);
  EXPECT_EQ(r.out.size(), input.size());
  EXPECT_EQ(r.err, "oops\n");
  EXPECT_EQ(r.status.code, 3);
}

TEST_F(Process, OneThatTakesTooLongIsEnded) {
  RunResult r = run({{"sleep", "60"}, {}, {}, false}, {}, Millis(50));
  EXPECT_TRUE(r.timed_out);
  EXPECT_EQ(r.status.signal, SIGKILL);
}

TEST_F(Process, DescriptorsArriveWhereTheyWereAskedFor) {
  auto [ours, theirs] = socket_pair();
  Child c =
      spawn({{"sh", "-c", "echo hello >&5"}, {}, {}, false}, {-1, -1, -1, {{theirs.get(), 5}}});
  theirs.reset();
  LineReader lines(ours.get());
  EXPECT_EQ(lines.next(Millis(5000)), "hello");
  EXPECT_TRUE(c.wait().ok());
}

TEST_F(Process, WhatIsIgnoredStaysSoWhereThatIsAskedFor) {
  Command command{{"sh", "-c", "kill -$1 $$", "sh", "HUP"}, {}, {}, false};
  Command pipe{{"sh", "-c", "kill -$1 $$", "sh", "PIPE"}, {}, {}, false};
  auto hup_before = ::signal(SIGHUP, SIG_IGN), pipe_before = ::signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(spawn(command, {}).wait().signal, SIGHUP);
  command.keep_ignored = pipe.keep_ignored = true;
  EXPECT_TRUE(spawn(command, {}).wait().ok());
  EXPECT_EQ(spawn(pipe, {}).wait().signal, SIGPIPE);
  ::signal(SIGHUP, SIG_DFL);
  EXPECT_EQ(spawn(command, {}).wait().signal, SIGHUP);
  ::signal(SIGHUP, hup_before);
  ::signal(SIGPIPE, pipe_before);
}

TEST_F(Process, AnIdentityIsMoreThanAPid) {
  ProcessId self = this_process();
  EXPECT_TRUE(is_alive(self));
  ProcessId other = self;
  other.start_time++;
  EXPECT_FALSE(is_alive(other));
  EXPECT_FALSE(send_signal(other, SIGKILL)); // or this test would end here
  other = self;
  other.boot_id = "another boot";
  EXPECT_FALSE(is_alive(other));
}

TEST_F(Files, AWriteIsWholeOrNotAtAll) {
  write_atomic(dir + "/f", "one", 0640);
  write_atomic(dir + "/f", "two", 0640);
  EXPECT_EQ(read_file(dir + "/f"), "two");
  EXPECT_EQ(find_info(dir + "/f")->mode, 0640u);
  EXPECT_EQ(list_dir(dir), std::vector<std::string>{"f"});
}

TEST_F(Files, ATreeIsRemovedAndLinksOutOfItAreNotFollowed) {
  make_dirs(dir + "/out/keep");
  make_dirs(dir + "/tree/a/b");
  write_atomic(dir + "/tree/a/b/f", "x");
  make_symlink(dir + "/out", dir + "/tree/link");
  EXPECT_TRUE(remove_tree(dir + "/tree"));
  EXPECT_FALSE(exists(dir + "/tree"));
  EXPECT_TRUE(exists(dir + "/out/keep"));
  EXPECT_FALSE(remove_tree(dir + "/tree"));
}

TEST_F(Files, ACopyKeepsDataAndHoles) {
  {
    Fd fd = open_file(dir + "/from", O_RDWR | O_CREAT);
    set_size(fd.get(), int64_t{64} << 20, "from");
    ASSERT_EQ(::pwrite(fd.get(), "data", 4, 32 << 20), 4);
  }
  copy_sparse(dir + "/from", dir + "/to");
  auto info = find_info(dir + "/to");
  EXPECT_EQ(info->size, int64_t{64} << 20);
  EXPECT_LT(info->allocated, int64_t{1} << 20);
  Fd fd = open_file(dir + "/to", O_RDONLY);
  EXPECT_EQ(read_at(fd.get(), 32 << 20, 4), "data");
  EXPECT_THROW(copy_sparse(dir + "/from", dir + "/to"), Error); // it exists
}

TEST_F(Files, ALogIsCutFromTheFrontAndItsEndStays) {
  std::string line(63, 'x');
  line += '\n';
  Fd fd = open_file(dir + "/log", O_RDWR | O_CREAT | O_APPEND);
  for (int i = 0; i < 4096; i++) write_all(fd.get(), line);
  write_all(fd.get(), "the end\n");
  cut_front(fd.get(), 65536);
  write_all(fd.get(), "more\n");
  EXPECT_LT(find_info(dir + "/log")->allocated, 3 * 65536);
  EXPECT_TRUE(read_tail(dir + "/log", 100).ends_with("the end\nmore\n"));
}

TEST_F(Sockets, APathOfAnyLengthServes) {
  std::string deep = dir;
  while (deep.size() < 200) deep += "/directory";
  make_dirs(deep);
  std::string path = deep + "/s.sock";
  Fd listener = listen_unix(path);
  EXPECT_EQ(find_info(path)->mode, 0600u);
  Fd client = connect_unix(path);
  auto server = accept_one(listener.get());
  ASSERT_TRUE(server);
  send_all(client.get(), "one\ntwo\nhalf");
  client.reset();
  LineReader lines(server->get());
  EXPECT_EQ(lines.next(), "one");
  EXPECT_EQ(lines.next(), "two");
  EXPECT_FALSE(lines.next());
  EXPECT_TRUE(lines.ended());
}

TEST_F(Sockets, NobodyListeningIsToldApart) {
  try {
    connect_unix(dir + "/none.sock");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::unreachable);
  }
}

TEST_F(Sockets, AnEndlessLineIsRefused) {
  auto [a, b] = socket_pair();
  send_all(a.get(), std::string(2000, 'x'));
  LineReader lines(b.get(), 1000);
  EXPECT_THROW(lines.next(), Error);
}

} // namespace banger::sys

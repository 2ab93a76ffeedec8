// What there is in a cell, and what ends with whom.
#include <algorithm>
#include <csignal>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/keyctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/text.h"
#include "core/units.h"
#include "sys/cell.h"
#include "sys/cells.h"
#include "sys/file.h"
#include "sys/forked.h"
#include "sys/lines.h"
#include "sys/wait.h"

namespace banger::sys {
namespace {

constexpr Millis patience{20'000};

class CellTest : public ::testing::Test {
protected:
  CellTest() {
    std::string pattern = ::testing::TempDir() + "cell.XXXXXX";
    dir_ = real_path(::mkdtemp(pattern.data()));
    // Whoever is left behind becomes this process's, and is seen to end.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    make_dirs(dir_ + "/own");
    reaches_ = {{dir_ + "/own", Use::directory}};
  }
  void SetUp() override {
    start([] { return std::string(); });
    int pid = told_pid();
    if (pid == 0) GTEST_SKIP() << "this host allows no cells: " << said();
    ::kill(pid, SIGKILL);
    ASSERT_TRUE(has_ended());
    report_ = make_pipe();
    said_ = make_pipe();
  }
  ~CellTest() override {
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
    remove_tree(dir_);
  }

  // Starts a process that goes on in a cell: `inside` says there what it finds.
  template <typename F>
  void start(F&& inside) {
    maker_ = forked();
    if (maker_ != 0) {
      report_.write.reset();
      said_.write.reset();
      return;
    }
    try {
      if (::chdir((dir_ + "/own").c_str()) != 0) ::_exit(1);
      if (auto fault = enter_cell(reaches_, report_.write)) throw std::move(*fault);
      report_.write.reset();
      write_all(said_.write.get(), inside());
      said_.write.reset();
      for (;;) ::pause();
    } catch (const std::exception& e) {
      write_all(said_.write.get(), e.what());
    }
    ::_exit(1);
  }

  // The pid of the process in the cell; 0: none was told of.
  int told_pid() {
    LineReader lines(report_.read.get(), 64);
    auto line = lines.next(patience);
    if (!line) return 0;
    auto first = lines.next(patience);
    EXPECT_GT(first ? std::stoi(*first) : 0, 0);
    int pid = std::stoi(*line);
    EXPECT_EQ(std::to_string(pid), *line); // all that a monitor of before takes
    return pid;
  }
  std::string said() {
    std::string all;
    char part[4096];
    for (ssize_t n; (n = ::read(said_.read.get(), part, sizeof part)) > 0;)
      all.append(part, static_cast<size_t>(n));
    return all;
  }
  // All that was started ends.
  static bool has_ended() {
    Deadline deadline(patience);
    while (::waitpid(-1, nullptr, WNOHANG) >= 0) {
      if (deadline.has_passed()) return false;
      sleep_for(Millis(1));
    }
    return true;
  }

  std::string dir_;
  std::vector<Reach> reaches_;
  Pipe report_ = make_pipe(), said_ = make_pipe();
  int maker_ = 0;
};

bool can_write(const std::string& path) {
  return static_cast<bool>(Fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC)));
}

TEST_F(CellTest, ThereIsWhatWasGivenByTheNamesThatItHadAndNothingElse) {
  // A program in a store, reached by two links; a disk by one in the own directory.
  make_dirs(dir_ + "/store/a/bin");
  make_dirs(dir_ + "/other");
  for (const char* file : {"store/a/bin/program", "store/a/other", "other/disk", "other/kernel"})
    write_atomic(dir_ + "/" + file, "x");
  make_symlink("store/a", dir_ + "/profile");
  make_symlink(dir_ + "/profile/bin", dir_ + "/programs");
  make_symlink(dir_ + "/other/disk", dir_ + "/own/disk");
  make_symlink("circle", dir_ + "/circle");
  reaches_.push_back({dir_ + "/programs/program", Use::read});
  reaches_.push_back({dir_ + "/own/disk", Use::write});
  reaches_.push_back({dir_ + "/other/kernel", Use::read});
  reaches_.push_back({dir_ + "/none", Use::read});
  reaches_.push_back({dir_ + "/circle", Use::read});
  reaches_.push_back({"/dev/null", Use::device});
  start([&] {
    std::string all = fmt::format("{} {}\n", ::getpid(), real_path("."));
    for (const char* path : {"/", "/dev", "/proc"}) all += join(list_dir(path), " ") + "\n";
    all += join(list_dir(dir_), " ") + "\n" + join(list_dir(dir_ + "/store/a"), " ") + "\n";
    all += read_file(dir_ + "/programs/program") + read_file("disk") + "\n";
    all += can_write("disk") ? "disk " : "";
    all += can_write("/dev/null") ? "null " : "";
    for (const char* file : {"store/a/bin/program", "other/kernel"})
      all += can_write(dir_ + "/" + file) ? file : "";
    all += ::mkdir("/new", 0700) == 0 ? "root" : "";
    return all + (::mkdir("new", 0700) == 0 ? "own" : "");
  });
  int pid = told_pid();
  std::string top = split(dir_, '/')[1];
  std::string all = said();
  ASSERT_GT(pid, 0) << all;
  EXPECT_EQ(all, fmt::format("2 {}/own\ndev {}\nnull\n\nother own profile programs "
                             "store\nbin\nxx\ndisk null own",
                             dir_, top));
  ::kill(pid, SIGKILL);
  EXPECT_TRUE(has_ended());
}

// At any moment of that: who was not told of a process has none to look after.
TEST_F(CellTest, WhereItsMakerIsKilledNothingStays) {
  int told = 0, untold = 0;
  for (int microseconds = 0; microseconds < 6000; microseconds += 60) {
    report_ = make_pipe();
    said_ = make_pipe();
    start([] { return std::string(); });
    sleep_for(std::chrono::microseconds(microseconds));
    ::kill(maker_, SIGKILL);
    int pid = told_pid();
    (pid ? told : untold)++;
    if (pid) ::kill(pid, SIGKILL);
    ASSERT_TRUE(has_ended()) << microseconds;
  }
  EXPECT_GT(untold, 0);
}

TEST_F(CellTest, ItsFirstProcessAndItsLastEndTogether) {
  for (bool first : {true, false}) {
    report_ = make_pipe();
    said_ = make_pipe();
    start([] { return std::string("there"); });
    int pid = told_pid();
    ASSERT_GT(pid, 0) << said();
    EXPECT_EQ(said(), "there");
    ASSERT_EQ(::waitpid(maker_, nullptr, 0), maker_);
    auto children = split(
        std::string(trim(read_file(fmt::format("/proc/self/task/{}/children", ::getpid()), 4096))),
        ' ');
    ASSERT_EQ(children.size(), 2U);
    int other = std::stoi(children[children[0] == std::to_string(pid)]);
    ::kill(first ? other : pid, SIGKILL);
    EXPECT_TRUE(has_ended());
  }
}

// The kernel would keep them from the first process of a namespace.
TEST_F(CellTest, SignalsWithoutAHandlerReachIt) {
  for (int signal : {SIGTERM, SIGABRT}) {
    report_ = make_pipe();
    said_ = make_pipe();
    start([] { return std::string(); });
    int pid = told_pid(), status = 0;
    ASSERT_GT(pid, 0) << said();
    ::kill(pid, signal);
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signal) << status;
    EXPECT_TRUE(has_ended());
  }
}

TEST_F(CellTest, TheKeysOfASessionStayOutside) {
  long own = ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
  long key = ::syscall(SYS_add_key, "user", "banger-test", "x", 1, KEY_SPEC_SESSION_KEYRING);
  if (own < 0 || key < 0) GTEST_SKIP() << "this host has no keyrings";
  auto found = [] {
    return ::syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", "banger-test", 0);
  };
  EXPECT_EQ(found(), key);
  start([&] { return found() < 0 ? std::string("none") : std::string("found"); });
  int pid = told_pid();
  EXPECT_EQ(said(), "none");
  ASSERT_GT(pid, 0);
  ::kill(pid, SIGKILL);
  EXPECT_TRUE(has_ended());
}

TEST_F(CellTest, WhoIsInACellIsToldApart) {
  start([] { return std::string("there"); });
  int pid = told_pid();
  ASSERT_GT(pid, 0) << said();
  uint64_t cell = cell_of(pid), own = cell_of(::getpid());
  EXPECT_FALSE(is_outside_of(pid, cell));
  EXPECT_TRUE(is_outside_of(::getpid(), cell));
  EXPECT_TRUE(is_outside_of(pid, own));
  EXPECT_FALSE(is_outside_of(pid, 0));
  ::kill(pid, SIGKILL);
  EXPECT_TRUE(has_ended());
  EXPECT_EQ(cell_of(pid), 0U);
  EXPECT_FALSE(is_outside_of(pid, own));
}

// A fault that no host forbids anything by is none of those on which a process goes on without.
TEST_F(CellTest, WhatIsNotForbiddenIsAFault) {
  maker_ = forked();
  if (maker_ == 0) {
    if (::chdir((dir_ + "/own").c_str()) != 0) ::_exit(1);
    // Room for the two processes' socket, and for no mount.
    Fd one(::dup(report_.write.get())), other(::dup(report_.write.get()));
    auto most = static_cast<rlim_t>(std::max(one.get(), other.get()) + 1);
    rlimit few{most, most};
    one.reset();
    other.reset();
    ::setrlimit(RLIMIT_NOFILE, &few);
    try {
      ::_exit(enter_cell(reaches_, report_.write) ? 2 : 3);
    } catch (const Error& e) {
      write_all(said_.write.get(), e.message());
      ::_exit(4);
    }
  }
  report_.write.reset();
  said_.write.reset();
  std::string why = said();
  EXPECT_TRUE(why.ends_with("too many open files") && !why.starts_with("cannot make")) << why;
  EXPECT_EQ(told_pid(), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(maker_, &status, 0), maker_);
  EXPECT_EQ(WEXITSTATUS(status), 4);
  EXPECT_TRUE(has_ended());
}

} // namespace
} // namespace banger::sys

// Real processes on one state.
#include <set>

#include <csignal>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "state/db.h"
#include "state_test.h"

namespace banger::state {

class ConcurrencyTest : public StateTest {
protected:
  void start_all(int count, const std::function<void(int)>& body) {
    for (int i = 0; i < count; ++i) pids.push_back(start([&] { body(i); }));
  }
  void expect_all_well() {
    for (int pid : pids) EXPECT_EQ(0, wait(pid));
    pids.clear();
  }
  std::vector<int> pids;
};

TEST_F(ConcurrencyTest, ThirtyTwoMakeTheirFirstVmInAStateThatIsNotThereYet) {
  start_all(32, [&](int i) { open().add_vm(vm(fmt::format("v{}", i))); });
  expect_all_well();
  std::set<std::string> reaches;
  for (const Vm& v : open(Mode::read).vms()) reaches.insert(v.reach);
  EXPECT_EQ(32u, reaches.size());
}

TEST_F(ConcurrencyTest, OneOfManyGetsTheName) {
  open();
  start_all(16, [&](int) {
    try {
      open().add_vm(vm("demo"));
      ::_exit(10);
    } catch (const Error& e) {
      ::_exit(e.code() == Code::conflict ? 20 : 30);
    }
  });
  std::multiset<int> outcomes;
  for (int pid : pids) outcomes.insert(wait(pid));
  EXPECT_EQ(1u, outcomes.count(10));
  EXPECT_EQ(15u, outcomes.count(20));
}

TEST_F(ConcurrencyTest, EightWritersLoseNoUpdate) {
  open().set_fact("n", "0");
  start_all(8, [&](int) {
    State s = open();
    for (int i = 0; i < 40; ++i)
      s.transaction([&] { s.set_fact("n", std::to_string(std::stoi(s.fact("n").value()) + 1)); });
  });
  expect_all_well();
  EXPECT_EQ("320", open(Mode::read).fact("n"));
}

TEST_F(ConcurrencyTest, ReadersBesideWritersSeeWholeTransactions) {
  std::string id = open().add_vm(vm("demo")).id;
  start_all(3, [&](int writer) {
    State s = open();
    for (int i = 0; i < 40; ++i)
      s.change_vm(id, [&](Vm& v) {
        std::string value = fmt::format("{}-{}", writer, i);
        v.labels = {{"a", value}};
        v.ports = {{"tcp", value, 1, 1}};
        v.reason = value;
      });
  });
  start_all(6, [&](int) {
    for (int i = 0; i < 60; ++i) {
      State s = open(Mode::read);
      auto all = s.vms();
      if (all.size() != 1) throw failed("{} VMs", all.size());
      const Vm& v = all[0];
      if (v.reason.empty() && v.labels.empty() && v.ports.empty()) continue;
      if (v.labels.at("a") != v.reason || v.ports.at(0).host_address != v.reason)
        throw failed("torn: {} {}", v.reason, v.labels.at("a"));
    }
  });
  expect_all_well();
}

TEST_F(ConcurrencyTest, AWriterKilledInMidTransactionLosesNothingCommitted) {
  int pipe[2];
  ASSERT_EQ(0, ::pipe2(pipe, O_CLOEXEC));
  int pid = start([&] {
    State s = open();
    s.set_fact("kept", "1");
    s.transaction([&] {
      s.set_fact("kept", "2");
      s.set_fact("lost", "1");
      sys::write_all(pipe[1], "x");
      for (;;) ::pause();
    });
  });
  char c = 0;
  ASSERT_EQ(1, ::read(pipe[0], &c, 1));
  ::kill(pid, SIGKILL);
  EXPECT_EQ(1000 + SIGKILL, wait(pid));
  State s = open();
  EXPECT_EQ("1", s.fact("kept"));
  EXPECT_FALSE(s.fact("lost"));
  s.set_fact("kept", "3");
  ::close(pipe[0]), ::close(pipe[1]);
}

// Killed at moments of chance, most of them within a commit.
TEST_F(ConcurrencyTest, WhatWasAcknowledgedIsThere) {
  open();
  for (int round = 0; round < 12; ++round) {
    int pipe[2];
    ASSERT_EQ(0, ::pipe2(pipe, O_CLOEXEC));
    int pid = start([&] {
      State s = open();
      for (int i = 1;; ++i) { // until it is killed, however late that comes
        s.transaction([&] {
          s.set_fact("a", std::to_string(i));
          s.set_fact("b", std::to_string(i));
        });
        if (::write(pipe[1], &i, sizeof i) != sizeof i) ::_exit(2);
      }
    });
    int acknowledged = 0;
    for (int i = 0; i <= round * 3; ++i)
      ASSERT_EQ(sizeof acknowledged, ::read(pipe[0], &acknowledged, sizeof acknowledged));
    ::kill(pid, SIGKILL);
    EXPECT_EQ(1000 + SIGKILL, wait(pid));
    ::close(pipe[1]);
    while (::read(pipe[0], &acknowledged, sizeof acknowledged) > 0) {
    }
    ::close(pipe[0]);
    State s = open(round % 2 ? Mode::read : Mode::write);
    int a = std::stoi(s.fact("a").value());
    EXPECT_EQ(s.fact("a"), s.fact("b"));
    EXPECT_TRUE(a == acknowledged || a == acknowledged + 1) << a << " " << acknowledged;
  }
}

TEST_F(ConcurrencyTest, WaitingForOthersEnds) {
  { open(); }
  int pipe[2];
  ASSERT_EQ(0, ::pipe2(pipe, O_CLOEXEC));
  int pid = start([&] {
    State s = open();
    s.transaction([&] {
      sys::write_all(pipe[1], "x");
      for (;;) ::pause();
    });
  });
  char c = 0;
  ASSERT_EQ(1, ::read(pipe[0], &c, 1));
  {
    auto db = Db::open(dirs.db(), Mode::write);
    db->set_patience(std::chrono::milliseconds(60));
    int ran = 0;
    auto began = steady_now();
    Error e = thrown_by([&] { db->transaction([&] { ++ran; }); });
    auto took = steady_now() - began;
    EXPECT_EQ(Code::timeout, e.code());
    EXPECT_EQ(0, ran);
    EXPECT_GE(took, std::chrono::milliseconds(60));
    EXPECT_EQ("0", db->query_one("SELECT count(*) FROM vm")) << "a reader is never in the way";
  }
  ::kill(pid, SIGKILL);
  wait(pid);
  ::close(pipe[0]), ::close(pipe[1]);
}

// In a mount namespace of its own, a user's if need be.
TEST_F(ConcurrencyTest, AFullDiskIsSaidAndLosesNothing) {
  sys::make_dir(dirs.state);
  int pid = start([&] {
    uid_t uid = ::geteuid();
    gid_t gid = ::getegid();
    if (::unshare(uid == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) != 0) ::_exit(77);
    auto put = [](const char* file, const std::string& text) {
      sys::write_all(sys::open_file(file, O_WRONLY).get(), text);
    };
    if (uid != 0) {
      put("/proc/self/uid_map", fmt::format("0 {} 1", uid));
      put("/proc/self/setgroups", "deny");
      put("/proc/self/gid_map", fmt::format("0 {} 1", gid));
    }
    ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    if (::mount("tmpfs", dirs.state.c_str(), "tmpfs", 0, "size=1m,mode=0700") != 0) ::_exit(77);
    size_t made = 0;
    State s = open();
    std::optional<Error> error;
    while (!error && made < 10'000) try {
        Vm v = vm(fmt::format("v{}", made));
        v.reason = std::string(2000, 'x');
        s.add_vm(v);
        ++made;
      } catch (const Error& e) {
        error = e;
      }
    if (!error) throw failed("the disk never filled");
    if (error->error_number() != ENOSPC || error->code() != Code::failed || error->hint().empty())
      throw std::move(error->within("not what was expected"));
    if (s.vms().size() != made) throw failed("{} of {}", s.vms().size(), made);
    if (State::open(dirs, Mode::read).vms().size() != made) throw failed("another reader differs");
  });
  int status = wait(pid);
  if (status == 77) GTEST_SKIP() << "no mount namespace here";
  EXPECT_EQ(0, status);
}

TEST_F(ConcurrencyTest, AWriteErrorIsSaid) {
  open();
  int pid = start([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    State s = open();
    rlimit limit{65536, 65536};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    for (int i = 0; i < 1000; ++i) try {
        Vm v = vm(fmt::format("v{}", i));
        v.reason = std::string(2000, 'x');
        s.add_vm(v);
      } catch (const Error& e) {
        if (e.error_number() == EFBIG && e.message().find(dirs.state) != std::string::npos) return;
        throw;
      }
    throw failed("no write failed");
  });
  EXPECT_EQ(0, wait(pid));
  open().add_vm(vm("after"));
}

} // namespace banger::state

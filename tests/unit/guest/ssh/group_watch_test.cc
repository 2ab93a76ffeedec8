// The fate of a command's processes, on real servers: they run on this machine, so that each can be
// looked for.
#include "guest/ssh/group_watch.h"

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/text.h"
#include "guest/ssh/server.h"
#include "guest/ssh/session.h"
#include "sys/file.h"
#include "sys/inet.h"
#include "sys/process.h"

namespace banger::guest {
namespace {

using Kind = TestServer::Kind;

// Seconds that no other sleep on this machine has.
std::string nap(int which) { return fmt::format("{}.{}", 3000 + which, ::getpid()); }

bool sleeps(const std::string& seconds) {
  for (const auto& name : sys::list_dir("/proc")) {
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    try {
      if (sys::find_content("/proc/" + name + "/cmdline") ==
          std::string("sleep") + '\0' + seconds + '\0')
        return true;
    } catch (const Error&) {
      continue; // it ended meanwhile
    }
  }
  return false;
}

bool within(int seconds, const std::function<bool()>& holds) {
  Deadline deadline{std::chrono::seconds(seconds)};
  while (!holds()) {
    if (deadline.has_passed()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

class GroupWatchTest : public OnEachServer {
protected:
  void SetUp() override {
    OnEachServer::SetUp();
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    signals_ = Fd(ends[0]);
    sender_ = Fd(ends[1]);
  }
  void send(int signal) {
    signalfd_siginfo info{};
    info.ssi_signo = static_cast<uint32_t>(signal);
    EXPECT_EQ(::write(sender_.get(), &info, sizeof info), static_cast<ssize_t>(sizeof info));
  }
  int run(const std::string& command, int seconds = 30) {
    Deadline deadline{std::chrono::seconds(seconds)};
    auto session = Session::connect(server_->endpoint(), deadline);
    return session.run(command, {-1, -1, -1, 0, signals_.get()}, deadline).status;
  }

  Fd signals_, sender_;
  std::atomic<bool> signalled_ = false;
};

ON_EACH_SERVER(GroupWatchTest);

TEST_P(GroupWatchTest, ASignalEndsAllOfTheCommand) {
  std::thread sender([&] {
    EXPECT_TRUE(within(20, [] { return sleeps(nap(1)) && sleeps(nap(2)); }));
    send(SIGINT);
  });
  EXPECT_EQ(run(fmt::format("sleep {} & sleep {} | cat; exit 9", nap(1), nap(2))), 130);
  sender.join();
  EXPECT_FALSE(sleeps(nap(1)));
  EXPECT_FALSE(sleeps(nap(2)));
}

TEST_P(GroupWatchTest, ACommandMayDealWithASignal) {
  std::thread sender([&] {
    EXPECT_TRUE(within(20, [] { return sleeps(nap(3)); }));
    send(SIGTERM);
  });
  EXPECT_EQ(run(fmt::format("trap 'exit 4' TERM; sleep {} & wait", nap(3))), 4);
  sender.join();
  EXPECT_FALSE(sleeps(nap(3)));
}

TEST_P(GroupWatchTest, ASecondSignalKillsWhatIgnoresTheFirst) {
  SteadyTime begun;
  std::thread sender([&] {
    EXPECT_TRUE(within(20, [] { return sleeps(nap(4)); }));
    begun = steady_now();
    send(SIGINT);
    send(SIGTERM);
  });
  EXPECT_EQ(run(fmt::format("trap '' INT TERM; sleep {}; exit 0", nap(4))), 137);
  sender.join();
  EXPECT_LT(steady_now() - begun, std::chrono::milliseconds(4900)); // after 5 s one is enough
  EXPECT_FALSE(sleeps(nap(4)));
}

TEST_P(GroupWatchTest, WhatIgnoresASignalIsKilledInTheEnd) {
  if (GetParam() == Kind::dropbear) GTEST_SKIP() << "5 s, and nothing new";
  std::thread sender([&] {
    EXPECT_TRUE(within(20, [] { return sleeps(nap(5)); }));
    send(SIGTERM);
  });
  EXPECT_EQ(run(fmt::format("trap '' TERM; sleep {}; exit 0", nap(5))), 137);
  sender.join();
  EXPECT_FALSE(sleeps(nap(5)));
}

TEST_P(GroupWatchTest, NothingSurvivesALostConnection) {
  // The deadline closes the connection without a word.
  EXPECT_THROW(run(fmt::format("trap '' TERM; sleep {} & sleep {}", nap(6), nap(7)), 3), Error);
  EXPECT_TRUE(within(20, [] { return !sleeps(nap(6)) && !sleeps(nap(7)); }));
}

TEST_P(GroupWatchTest, WhatACommandLeavesBehindOnPurposeStays) {
  EXPECT_EQ(run(fmt::format("sleep {} </dev/null >/dev/null 2>&1 & sleep 1; exit 5", nap(8))), 5);
  EXPECT_TRUE(sleeps(nap(8)));
  EXPECT_EQ(run(fmt::format("pkill -f '^sleep {}$'", nap(8))), 0);
}

// Rounds until `done`, with waiting for the guest between them.
void move(Session& session, const std::function<bool()>& done) {
  Deadline deadline{std::chrono::seconds(20)};
  for (;;) {
    session.begin_round();
    bool over = done();
    session.flush();
    if (over) return;
    ASSERT_FALSE(deadline.has_passed());
    if (session.heard()) continue;
    pollfd p = session.poll_for(true)[0];
    ::poll(&p, 1, 100);
  }
}

// The watch is asked for, and before the guest's answer is looked at the command has ended.
TEST_P(GroupWatchTest, AWatchThatMeetsTheEndOfItsCommandHearsWhatItIsTold) {
  for (bool kill : {false, true}) {
    if (kill && GetParam() == Kind::sshd) continue; // it comes too late to know the processes
    Deadline deadline{std::chrono::seconds(30)};
    auto session = std::make_optional(Session::connect(server_->endpoint(), deadline));
    auto main = Channel::command(
        *session, fmt::format("sleep {} </dev/null >/dev/null 2>&1 & exec cat", nap(10)));
    move(*session, [&] { return main.advance(); });
    ASSERT_TRUE(within(20, [] { return sleeps(nap(10)); }));
    GroupWatch watch(*session);
    session->begin_round();
    watch.advance();
    session->flush();
    pollfd p = session->poll_for(true)[0];
    ASSERT_EQ(::poll(&p, 1, 20'000), 1); // the channel is there
    char c;
    move(*session, [&] { return main.send_eof(); });
    move(*session, [&] { return main.read(Channel::Output::out, {&c, 1}) == 0 && main.closed(); });
    watch.end(kill);
    move(*session, [&] { return watch.advance(), watch.ended(); });
    session->leave();
    session.reset();
    EXPECT_EQ(within(kill ? 20 : 1, [] { return !sleeps(nap(10)); }), kill);
    if (!kill) {
      EXPECT_EQ(run(fmt::format("pkill -f '^sleep {}$'", nap(10))), 0);
    }
  }
}

TEST_P(GroupWatchTest, WhatComesInAnothersTurnIsHeardOf) {
  auto session = Session::connect(server_->endpoint(), Deadline{std::chrono::seconds(30)});
  auto a = Channel::command(session, "cat"), b = Channel::command(session, "cat");
  move(session, [&] { return a.advance(); });
  move(session, [&] { return b.advance(); });
  move(session, [&] { return a.write("x") == 1; });
  std::array<char, 8> got;
  pollfd p = session.poll_for(true)[0];
  Deadline deadline{std::chrono::seconds(20)};
  do {
    ASSERT_EQ(::poll(&p, 1, 20'000), 1);
    session.begin_round();
    EXPECT_FALSE(session.heard());
    EXPECT_EQ(b.read(Channel::Output::out, got), 0u);
    EXPECT_TRUE(session.heard());
  } while (a.read(Channel::Output::out, got) == 0 && !deadline.has_passed());
  EXPECT_EQ(got[0], 'x');
}

// Between a client and a server. `hold` is called before anything of the server's is passed on, and
// told whether the client has said something since the last of it.
void pass_on(int client, const Endpoint& to, const std::function<void(bool asked)>& hold) {
  Fd server = sys::connect_tcp(to.address, to.port, Millis(5000));
  std::array<char, 4096> block;
  bool asked = false;
  for (;;) {
    std::array<pollfd, 2> polled{{{server.get(), POLLIN, 0}, {client, POLLIN, 0}}};
    if (::poll(polled.data(), polled.size(), 20'000) <= 0) return;
    for (auto [from, into] : {std::pair(server.get(), client), std::pair(client, server.get())}) {
      if (polled[from == client ? 1 : 0].revents == 0) continue;
      ssize_t n = ::read(from, block.data(), block.size());
      if (n <= 0) return;
      if (from == client)
        asked = true;
      else
        hold(std::exchange(asked, false));
      if (::send(into, block.data(), static_cast<size_t>(n), MSG_NOSIGNAL) != n) return;
    }
  }
}

// It runs, and the guest's word for that is on its way.
TEST_P(GroupWatchTest, ASignalBeforeTheAnswerEndsTheCommand) {
  std::atomic<bool> logged_in = false;
  int answers = 0;
  TestPeer peer([&](int client) {
    pass_on(client, server_->endpoint(), [&](bool asked) {
      // The first answer is that there is a channel, the second that the command runs.
      if (!logged_in || !asked || ++answers < 2 || signalled_) return;
      if (!within(10, [] { return sleeps(nap(11)); })) return;
      send(SIGTERM);
      signalled_ = true;
      EXPECT_TRUE(within(20, [&] {
        int left = 0;
        return ::ioctl(signals_.get(), FIONREAD, &left) == 0 && left == 0;
      }));
    });
  });
  Endpoint e = server_->endpoint();
  e.address = peer.endpoint().address;
  e.port = peer.endpoint().port;
  Deadline deadline{std::chrono::seconds(60)};
  auto session = Session::connect(e, deadline);
  logged_in = true;
  auto command = fmt::format("trap 'exit 4' TERM; sleep {} & wait", nap(11));
  EXPECT_EQ(session.run(command, {-1, -1, -1, 0, signals_.get()}, deadline).status, 4);
  EXPECT_TRUE(signalled_);
  EXPECT_FALSE(sleeps(nap(11)));
}

// Its parent is then whoever takes up orphans: init in a guest, this process here.
TEST(GroupWatchWithoutConnection, EndsNothingOfAnothers) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  sys::Child other = sys::spawn({{"setsid", "sleep", nap(12)}, {}, {}, false}, {});
  ASSERT_TRUE(within(10, [] { return sleeps(nap(12)); }));
  // The watch begins when the one that has started it is gone.
  std::string orphan =
      fmt::format("while [ -e /proc/$0 ]; do sleep 0.01; done; {}", GroupWatch::command());
  sys::run_ok({{"sh", "-c",
                fmt::format("setsid sh -c {} $$ </dev/null >/dev/null 2>&1 & echo begun",
                            shell_quote(orphan))},
               {},
               {},
               false});
  int watch = 0, status = 0;
  EXPECT_TRUE(within(30, [&] { return (watch = ::waitpid(-1, &status, WNOHANG)) != 0; }));
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  EXPECT_NE(watch, other.pid()) << "it has ended a process that is none of its command's";
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_TRUE(sleeps(nap(12)));
  other.kill(SIGKILL);
}

TEST(GroupWatchOfSshd, AServerThatTakesOneCommandEndsItByClosing) {
  auto server = TestServer::start(Kind::sshd, {"MaxSessions 1"});
  if (!server) GTEST_SKIP();
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  Fd signals(ends[0]), sender(ends[1]);
  std::thread thread([&] {
    EXPECT_TRUE(within(20, [] { return sleeps(nap(9)); }));
    signalfd_siginfo info{};
    info.ssi_signo = SIGINT;
    EXPECT_GT(::write(sender.get(), &info, sizeof info), 0);
  });
  Deadline deadline{std::chrono::seconds(30)};
  auto session = Session::connect(server->endpoint(), deadline);
  auto outcome =
      session.run(fmt::format("sleep {}", nap(9)), {-1, -1, -1, 0, signals.get()}, deadline);
  EXPECT_EQ(outcome.status, 130);
  thread.join();
  // Nothing ends it there.
  EXPECT_EQ(std::system(fmt::format("pkill -f '^sleep {}$'", nap(9)).c_str()), 0);
}

} // namespace
} // namespace banger::guest

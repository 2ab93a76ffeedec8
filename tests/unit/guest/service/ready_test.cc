#include "guest/service/ready.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest/identity/keygen.h"
#include "guest/ssh/server.h"
#include "sys/file.h"
#include "sys/inet.h"
#include "sys/wait.h"

namespace banger::guest {
namespace {

using Kind = TestServer::Kind;
using namespace std::chrono_literals;

// Who waits, until it leaves.
class Listener {
public:
  void leave() { theirs_.reset(); }
  int fd() const { return ours_.get(); }

private:
  sys::Pipe pipe_ = sys::make_pipe();
  Fd ours_ = std::move(pipe_.write), theirs_ = std::move(pipe_.read);
};

struct Seen {
  Stage last = Stage::connecting;
  std::vector<Stage> stages;
  std::vector<StageReport> reports;
  double seconds = 0;
};

Seen await(const Endpoint& endpoint, Millis timeout,
           const std::function<void(const StageReport&)>& on_report = {}, int listener = -1) {
  Seen seen;
  auto begun = steady_now();
  auto report = [&](const StageReport& r) {
    seen.stages.push_back(r.stage);
    seen.reports.push_back(r);
    if (on_report) on_report(r);
  };
  seen.last = await_ready(endpoint, Deadline(timeout), report, listener);
  seen.seconds = Seconds(steady_now() - begun).count();
  return seen;
}

using Stages = std::vector<Stage>;

class ReadyTest : public ::testing::TestWithParam<Kind> {
protected:
  void SetUp() override {
    server_ = TestServer::start(GetParam());
    if (!server_) GTEST_SKIP() << "no such server here";
  }
  std::unique_ptr<TestServer> server_;
};

ON_EACH_SERVER(ReadyTest);

TEST_P(ReadyTest, AServerThatIsThereIsReadyAtOnce) {
  auto seen = await(server_->endpoint(), 20s);
  EXPECT_EQ(seen.stages, (Stages{Stage::connecting, Stage::banner, Stage::auth, Stage::ready}));
  EXPECT_EQ(seen.reports[1].detail.substr(0, 8), "SSH-2.0-");
  double last = 0;
  for (const auto& r : seen.reports) {
    EXPECT_GE(r.seconds, last);
    last = r.seconds;
  }
}

TEST_P(ReadyTest, AServerThatComesLaterIsFound) {
  server_->stop();
  auto seen = await(server_->endpoint(), 20s, [&](const StageReport& r) {
    if (r.stage == Stage::closed) server_->start_again();
  });
  EXPECT_EQ(seen.stages,
            (Stages{Stage::connecting, Stage::closed, Stage::banner, Stage::auth, Stage::ready}));
}

TEST_P(ReadyTest, ARefusedLoginIsTriedAgain) {
  std::string keys = server_->dir() + "/home/.ssh/authorized_keys";
  std::string line = sys::read_file(keys);
  sys::write_atomic(keys, "");
  auto seen = await(server_->endpoint(), 20s, [&](const StageReport& r) {
    if (r.stage == Stage::refused) sys::write_atomic(keys, line);
  });
  EXPECT_EQ(seen.stages,
            (Stages{Stage::connecting, Stage::banner, Stage::auth, Stage::refused, Stage::ready}));
}

TEST_P(ReadyTest, ALoginThatStaysRefusedIsSaidOnce) {
  // Time for several logins, as long as they take here.
  Seconds login{await(server_->endpoint(), 60s).seconds};
  sys::write_atomic(server_->dir() + "/home/.ssh/authorized_keys", "");
  Millis time = 1s + std::chrono::ceil<Millis>(6 * login);
  auto seen = await(server_->endpoint(), time);
  EXPECT_EQ(seen.stages, (Stages{Stage::connecting, Stage::banner, Stage::auth, Stage::refused}));
  EXPECT_GE(Seconds(seen.seconds), time);
  EXPECT_LT(Seconds(seen.seconds), time + 20s);
}

TEST_P(ReadyTest, AnotherHostKeyEndsIt) {
  Endpoint e = server_->endpoint();
  e.host_key = public_line(generate_key());
  auto seen = await(e, 20s);
  EXPECT_EQ(seen.stages, (Stages{Stage::connecting, Stage::banner, Stage::mismatch}));
  EXPECT_LT(seen.seconds, 15);
}

TEST(ReadyOfSshd, AGuestThatRefusesLoginsWhileItBoots) {
  // As pam_nologin does under systemd: the key is right, and the session ends before a command ran.
  auto server = TestServer::start(Kind::sshd, {"ForceCommand echo System is booting up; exit 1"});
  if (!server) GTEST_SKIP();
  Listener listener;
  auto until_refused = [&](const StageReport& r) {
    if (r.stage == Stage::refused) listener.leave();
  };
  auto seen = await(server->endpoint(), 60s, until_refused, listener.fd());
  EXPECT_EQ(seen.last, Stage::refused);
  EXPECT_NE(seen.reports.back().detail.find("System is booting up"), std::string::npos);
}

TEST(ReadyOfOthers, AClosedPort) {
  TestPeer peer([](int) {});
  Endpoint e = peer.endpoint();
  e.port = sys::free_tcp_port(e.address);
  auto seen = await(e, 500ms);
  EXPECT_EQ(seen.stages, (Stages{Stage::connecting, Stage::closed}));
  EXPECT_GE(seen.seconds, 0.5);
  EXPECT_LT(seen.seconds, 10);
}

TEST(ReadyOfOthers, AForwarderThatAcceptsAndClosesIsClosedToo) {
  int connections = 0;
  Listener listener;
  Seen seen;
  {
    TestPeer peer([&](int) {
      if (++connections == 8) listener.leave();
    });
    seen = await(peer.endpoint(), 20s, {}, listener.fd());
  }
  EXPECT_EQ(seen.stages, (Stages{Stage::connecting, Stage::closed}));
  // Quick, and no storm.
  EXPECT_GE(seen.seconds, 0.5);
  EXPECT_LT(seen.seconds, 7);
}

TEST(ReadyOfOthers, AForwarderThatAcceptsAndKeepsSilent) {
  std::vector<Fd> held;
  Seen seen;
  {
    TestPeer peer([&](int fd) { held.emplace_back(::dup(fd)); });
    seen = await(peer.endpoint(), 2500ms);
  }
  EXPECT_EQ(seen.stages, (Stages{Stage::connecting, Stage::no_answer}));
  EXPECT_GE(held.size(), 3u); // a busy machine comes to fewer
  EXPECT_LE(held.size(), 6u);
}

TEST(ReadyOfOthers, ASilentGuestGetsEverFewerConnections) {
  // Each is work for its server, which may be slower than we ask: it has to catch up with us.
  std::vector<Fd> held;
  {
    TestPeer peer([&](int fd) { held.emplace_back(::dup(fd)); });
    await(peer.endpoint(), 7s);
  }
  EXPECT_GE(held.size(), 6u);
  EXPECT_LE(held.size(), 9u);
}

TEST(ReadyOfOthers, AServerThatTurnsOthersAwayIsHeardOnTheConnectionItWorksFor) {
  // As sshd has it when MaxStartups connections are at their handshake.
  std::vector<Fd> held;
  int connections = 0;
  std::atomic<int> turned_away = 0;
  std::jthread slow;
  Seen seen;
  {
    TestPeer peer([&](int fd) {
      if (connections++ == 0) return; // its kernel answers, and no server listens
      if (!held.empty()) return void(turned_away++);
      held.emplace_back(::dup(fd));
      slow = std::jthread([&, fd = held.back().get()](const std::stop_token& over) {
        while (turned_away == 0 && !over.stop_requested()) std::this_thread::sleep_for(10ms);
        std::this_thread::sleep_for(500ms); // and that was seen
        std::string_view banner = "SSH-2.0-slow\r\n";
        ::send(fd, banner.data(), banner.size(), MSG_NOSIGNAL);
      });
    });
    seen = await(peer.endpoint(), 6s);
  }
  ASSERT_GE(seen.stages.size(), 4u);
  EXPECT_EQ(std::ranges::count(seen.stages, Stage::banner), 1);
  EXPECT_LE(turned_away, 2);
}

TEST(ReadyOfOthers, ASlowServerIsGivenTimeOnceItsKernelAnswered) {
  std::vector<Fd> held;
  int connections = 0;
  Seen seen;
  {
    TestPeer peer([&](int fd) {
      if (connections++ > 0) held.emplace_back(::dup(fd)); // the first is closed at once
    });
    seen = await(peer.endpoint(), 2500ms);
  }
  EXPECT_EQ(seen.stages, (Stages{Stage::connecting, Stage::closed, Stage::no_answer}));
  EXPECT_EQ(held.size(), 1u);
}

TEST(ReadyOfOthers, AServerThatHasSpokenIsAskedByOneConnectionAtATime) {
  std::vector<Fd> held;
  bool spoke = false;
  Seen seen;
  {
    TestPeer peer([&](int fd) {
      if (spoke) return void(held.emplace_back(::dup(fd)));
      std::string_view banner = "SSH-2.0-busy\r\n";
      ::send(fd, banner.data(), banner.size(), MSG_NOSIGNAL);
      spoke = true; // and hangs up
    });
    seen = await(peer.endpoint(), 2500ms);
  }
  EXPECT_EQ(seen.stages[1], Stage::banner);
  EXPECT_EQ(held.size(), 1u);
}

// Sends a server's first line, and then only reads.
void greet(int fd) {
  std::string_view banner = "SSH-2.0-\x1b[31mred\r\n";
  ::send(fd, banner.data(), banner.size(), MSG_NOSIGNAL);
  char block[4096];
  while (::read(fd, block, sizeof block) > 0) {
  }
}

TEST(ReadyOfOthers, ConnectionsFromBeforeTheKernelAnsweredAreNotWaitedFor) {
  // As a VMM's forwarder has it: it tries those again seconds after the guest's network is up.
  std::vector<Fd> held;
  int connections = 0;
  Seen seen;
  {
    TestPeer peer([&](int fd) {
      connections++;
      if (connections <= 2) held.emplace_back(::dup(fd));
      if (connections > 3) greet(fd);
    });
    seen = await(peer.endpoint(), 3s);
  }
  std::erase(seen.stages, Stage::no_answer); // where that takes a second
  ASSERT_EQ(seen.stages, (Stages{Stage::connecting, Stage::closed, Stage::banner}));
}

TEST(ReadyOfOthers, ABannerAndNothingElse) {
  TestPeer peer(greet);
  auto seen = await(peer.endpoint(), 2s);
  ASSERT_EQ(seen.stages, (Stages{Stage::connecting, Stage::banner}));
  EXPECT_EQ(seen.reports[1].detail, "SSH-2.0-\\x1b[31mred");
}

TEST(ReadyOfOthers, ADeadlineThatHasPassedEndsAtOnce) {
  TestPeer peer([](int) {});
  EXPECT_EQ(await(peer.endpoint(), 0ms).stages, (Stages{Stage::connecting}));
}

} // namespace
} // namespace banger::guest

#include "guest/ssh/session.h"

#include <atomic>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest/identity/keygen.h"
#include "guest/ssh/server.h"
#include "sys/file.h"
#include "sys/inet.h"
#include "sys/loop.h"
#include "sys/wait.h"

namespace banger::guest {
namespace {

using Kind = TestServer::Kind;

Deadline in(int seconds) { return Deadline(std::chrono::seconds(seconds)); }

struct Captured {
  int status = -1;
  std::string out, err;
};

// A session test on each of the two servers; each is started once.
class SessionTest : public OnEachServer {
protected:
  Captured run(const std::string& command, const std::string& input = {}) {
    sys::write_atomic(path("in"), input);
    Fd in_file = sys::open_file(path("in"), O_RDONLY);
    Fd out = sys::open_file(path("out"), O_RDWR | O_CREAT | O_TRUNC);
    Fd err = sys::open_file(path("err"), O_RDWR | O_CREAT | O_TRUNC);
    auto session = Session::connect(server_->endpoint(), in(20));
    Captured c;
    c.status = session.run(command, {in_file.get(), out.get(), err.get()}, in(120)).status;
    c.out = sys::read_file(path("out"), size_t{200} << 20);
    c.err = sys::read_file(path("err"));
    return c;
  }
  std::string path(const char* name) const { return server_->dir() + "/" + name; }
};

ON_EACH_SERVER(SessionTest);

// Bytes of every value, without a period that a buffer could share.
std::string noise(size_t size) {
  std::string bytes(size, '\0');
  uint64_t x = 88172645463325252;
  for (char& c : bytes) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    c = static_cast<char>(x >> 24);
  }
  return bytes;
}

TEST_P(SessionTest, StreamsStaySeparateAndTheStatusComesBack) {
  auto c = run("printf out; printf err >&2; exit 7");
  EXPECT_EQ(c.status, 7);
  EXPECT_EQ(c.out, "out");
  EXPECT_EQ(c.err, "err");
}

TEST_P(SessionTest, StatusZeroAndTheLargest) {
  EXPECT_EQ(run("true").status, 0);
  EXPECT_EQ(run("exit 255").status, 255);
}

TEST_P(SessionTest, ASignalIs128AndItsNumber) {
  EXPECT_EQ(run("kill -KILL $$").status, 137);
  EXPECT_EQ(run("kill -TERM $$").status, 143);
}

TEST_P(SessionTest, InputComesBackUnchangedBothWaysAtOnce) {
  std::string bytes = noise(50'000'000);
  auto c = run("cat", bytes);
  EXPECT_EQ(c.status, 0);
  EXPECT_TRUE(c.out == bytes) << c.out.size();
  EXPECT_EQ(c.err, "");
}

TEST_P(SessionTest, FiftyMegabytesOnEachOutput) {
  auto c = run("head -c 50000000 /dev/zero & head -c 50000000 /dev/zero >&2; wait");
  EXPECT_EQ(c.status, 0);
  EXPECT_EQ(c.out.size(), 50'000'000u);
  EXPECT_EQ(c.err.size(), 50'000'000u);
}

TEST_P(SessionTest, EmptyInputEndsAtOnce) { EXPECT_EQ(run("cat").out, ""); }

TEST_P(SessionTest, AGuestThatReadsNothingStillEnds) {
  EXPECT_EQ(run("exit 3", noise(20'000'000)).status, 3);
}

TEST_P(SessionTest, AGuestThatClosesItsInputEarlyGivesItsOutput) {
  auto c = run("head -c 1000", noise(20'000'000));
  EXPECT_EQ(c.status, 0);
  EXPECT_EQ(c.out, noise(1000));
}

TEST_P(SessionTest, ATerminalLikeInputThatNeverEndsHoldsNothingUp) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  Fd read_end(ends[0]), write_end(ends[1]);
  auto session = Session::connect(server_->endpoint(), in(20));
  EXPECT_EQ(session.run("echo done", {read_end.get(), -1, -1, 100}, in(20)).tail, "done\n");
}

TEST_P(SessionTest, ASlowReaderSlowsTheGuestAndLosesNothing) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  size_t total = 0;
  std::thread reader([&] {
    char block[100'000];
    for (ssize_t n; (n = ::read(ends[0], block, sizeof block)) > 0;) {
      total += static_cast<size_t>(n);
      if (total < 2'000'000) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  });
  auto session = Session::connect(server_->endpoint(), in(20));
  int status = session.run("head -c 10000000 /dev/zero", {-1, ends[1], -1}, in(60)).status;
  ::close(ends[1]);
  reader.join();
  ::close(ends[0]);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(total, 10'000'000u);
}

TEST_P(SessionTest, KeepsTheTail) {
  auto session = Session::connect(server_->endpoint(), in(20));
  auto done = session.run("seq 100000; echo oops >&2", {-1, -1, -1, 6}, in(20));
  EXPECT_EQ(done.tail, "00000\noops\n");
}

TEST_P(SessionTest, TheDeadlineHolds) {
  auto session = Session::connect(server_->endpoint(), in(20));
  auto begun = steady_now();
  try {
    session.run("sleep 60", {}, Deadline(Millis(300)));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::timeout) << e.message();
  }
  EXPECT_LT(steady_now() - begun, std::chrono::seconds(30)); // and not its 60
}

TEST_P(SessionTest, AServerThatDiesInMidOutputIsAFailureAfterWhatItSent) {
  Fd out = sys::open_file(path("out"), O_RDWR | O_CREAT | O_TRUNC);
  auto session = Session::connect(server_->endpoint(), in(20));
  sys::Pipe input = sys::make_pipe();
  std::jthread on([&] { // once it has come here
    for (int i = 0; i < 1000 && sys::read_file(path("out")) != "begun"; i++)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    sys::write_all(input.write.get(), "on\n");
  });
  try {
    // Its parent is the server's process for this connection.
    session.run("printf begun; read -r on; kill -KILL $PPID; sleep 5",
                {input.read.get(), out.get(), -1}, in(20));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::unreachable) << e.message();
  }
  EXPECT_EQ(sys::read_file(path("out")), "begun");
}

TEST_P(SessionTest, OutputThatCannotBeWrittenIsAFailure) {
  Fd full = sys::open_file("/dev/full", O_WRONLY);
  auto session = Session::connect(server_->endpoint(), in(20));
  try {
    session.run("echo x", {-1, full.get(), -1}, in(20));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.error_number(), ENOSPC) << e.message();
  }
}

TEST_P(SessionTest, AWrongHostKeyIsNeverTrusted) {
  Endpoint e = server_->endpoint();
  e.host_key = public_line(generate_key());
  try {
    Session::connect(e, in(20));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::failed);
    EXPECT_NE(error.message().find("another host key"), std::string::npos) << error.message();
  }
}

TEST_P(SessionTest, AnUnknownKeyIsRefused) {
  Endpoint e = server_->endpoint();
  e.identity = ensure_state_key(path("other")).identity;
  auto connecting = sys::connect_tcp(e.address, e.port, Millis(5000));
  auto session = Session::open(std::move(connecting), e, in(20));
  ASSERT_FALSE(session.has_value());
  EXPECT_EQ(session.error().stage, Stage::refused) << session.error().detail;
}

TEST_P(SessionTest, AKeyFileThatIsNoneIsToldAsSuch) {
  Endpoint e = server_->endpoint();
  e.identity = path("absent");
  EXPECT_THROW(Session::connect(e, in(20)), Error);
  sys::write_atomic(path("absent"), "garbage");
  EXPECT_THROW(Session::connect(e, in(20)), Error);
}

TEST(SessionOfSshd, SurvivesNewKeysInMidTransfer) {
  auto server = TestServer::start(Kind::sshd, {"RekeyLimit 1M"});
  if (!server) GTEST_SKIP();
  std::string bytes = noise(10'000'000);
  sys::write_atomic(server->dir() + "/in", bytes);
  Fd in_file = sys::open_file(server->dir() + "/in", O_RDONLY);
  Fd out = sys::open_file(server->dir() + "/out", O_RDWR | O_CREAT);
  auto session = Session::connect(server->endpoint(), in(20));
  EXPECT_EQ(session.run("cat", {in_file.get(), out.get(), -1}, in(60)).status, 0);
  EXPECT_TRUE(sys::read_file(server->dir() + "/out") == bytes);
}

void say(int fd, std::string_view text) { ::send(fd, text.data(), text.size(), MSG_NOSIGNAL); }
void hear_to_the_end(int fd) {
  char block[4096];
  while (::read(fd, block, sizeof block) > 0) {
  }
}

Session::Failure failure_at(const TestPeer& peer, int seconds) {
  auto session =
      Session::open(sys::connect_tcp(peer.endpoint().address, peer.endpoint().port, Millis(5000)),
                    peer.endpoint(), in(seconds));
  EXPECT_FALSE(session.has_value());
  return session.error();
}

TEST(SessionOfOthers, ASilentPortIsNoAnswer) {
  TestPeer peer(hear_to_the_end);
  EXPECT_EQ(failure_at(peer, 1).stage, Stage::no_answer);
}

TEST(SessionOfOthers, ClosedAtOnceIsClosed) {
  TestPeer peer([](int) {});
  EXPECT_EQ(failure_at(peer, 10).stage, Stage::closed);
}

TEST(SessionOfOthers, ABannerAndSilenceIsBanner) {
  TestPeer peer([](int fd) {
    say(fd, "SSH-2.0-x\r\n");
    hear_to_the_end(fd);
  });
  EXPECT_EQ(failure_at(peer, 1).stage, Stage::banner);
}

TEST(SessionOfOthers, AnHttpServerIsNone) {
  TestPeer peer([](int fd) { say(fd, "HTTP/1.1 400 Bad Request\r\n\r\n"); });
  EXPECT_NE(failure_at(peer, 10).stage, Stage::auth);
}

TEST(SessionOfOthers, ALineThatNeverEndsIsCutOff) {
  TestPeer peer([](int fd) {
    std::string block(65536, 'x');
    while (::send(fd, block.data(), block.size(), MSG_NOSIGNAL) > 0) {
    }
  });
  EXPECT_NE(failure_at(peer, 20).stage, Stage::auth);
}

// Until the other end hangs up.
void say_lines_without_end(int fd) {
  std::string lines;
  for (int i = 0; i < 10000; i++) lines += "hello\r\n";
  while (::send(fd, lines.data(), lines.size(), MSG_NOSIGNAL) > 0) {
  }
}

TEST(SessionOfOthers, LinesWithoutEndAreCutOff) {
  TestPeer peer(say_lines_without_end);
  auto begun = steady_now();
  EXPECT_EQ(failure_at(peer, 20).stage, Stage::banner);
  EXPECT_LT(steady_now() - begun, std::chrono::seconds(15));
}

TEST(SessionOfOthers, AServerThatTurnsAwayIsAskedAgainForAWhile) {
  std::atomic<int> came = 0, turned_away = 3;
  TestPeer peer([&](int fd) {
    if (came++ == turned_away) say_lines_without_end(fd); // which is another end
  });
  EXPECT_THROW(Session::connect(peer.endpoint(), in(20), std::chrono::seconds(20)), Error);
  EXPECT_EQ(came, 4);
  turned_away = 1'000'000;
  auto begun = steady_now();
  EXPECT_THROW(Session::connect(peer.endpoint(), in(30), std::chrono::seconds(1)), Error);
  EXPECT_LT(steady_now() - begun, std::chrono::seconds(15));
  came = 0;
  EXPECT_THROW(Session::connect(peer.endpoint(), in(10)), Error);
  EXPECT_EQ(came, 1);
}

TEST_P(SessionTest, MoreAtOnceThanTheServerLetsLogIn) {
  std::atomic<int> done = 0;
  std::vector<std::thread> all;
  for (int i = 0; i < 12; i++)
    all.emplace_back([&] {
      auto session = Session::connect(server_->endpoint(), in(20), std::chrono::seconds(15));
      if (session.run("exit 3", {-1, -1, -1, 0}, in(20)).status == 3) done++;
    });
  for (auto& t : all) t.join();
  EXPECT_EQ(done, 12);
}

TEST(SessionOfOthers, AClosedPortIsUnreachable) {
  Endpoint e{test_address(), 1, "root", "/nowhere", "ssh-ed25519 A"};
  e.port = sys::free_tcp_port(e.address);
  try {
    Session::connect(e, in(5));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::unreachable) << error.message();
  }
}

} // namespace
} // namespace banger::guest

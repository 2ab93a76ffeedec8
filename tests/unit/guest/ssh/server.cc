#include "guest/ssh/server.h"

#include <csignal>
#include <cstdio>

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/error.h"
#include "core/text.h"
#include "guest/identity/keygen.h"
#include "sys/file.h"
#include "sys/inet.h"
#include "sys/wait.h"

namespace banger::guest {

std::string test_address() {
  int pid = static_cast<int>(::getpid());
  return fmt::format("127.{}.{}.{}", 64 + pid / 65536 % 64, pid / 256 % 256, 1 + pid % 254);
}

namespace {

bool answers(const Endpoint& e) {
  try {
    Fd fd = sys::connect_tcp(e.address, e.port, Millis(1000));
    return sys::wait_readable(fd.get(), Millis(10'000));
  } catch (const Error&) {
    return false;
  }
}

sys::Command command(std::vector<std::string> argv) {
  sys::Command c;
  c.argv = std::move(argv);
  return c;
}

// "OpenSSH_9.2p1 Debian…", said in one way or another by every version.
std::pair<int, int> version_of(const std::string& sshd) {
  auto said = sys::run({{sshd, "-V"}, {}, {}, false});
  std::string text = said.out + said.err;
  int major = 0, minor = 0;
  if (size_t at = text.find("OpenSSH_"); at != std::string::npos)
    std::sscanf(text.c_str() + at, "OpenSSH_%d.%d", &major, &minor);
  return {major, minor};
}

// Runs `script` in a mount namespace; a plain user gets one with a user namespace.
sys::Command in_namespace(const std::string& script) {
  if (::getuid() == 0) return command({"unshare", "-m", "sh", "-c", script});
  return command({"unshare", "-U", "--map-current-user", "--keep-caps", "-m", "sh", "-c", script});
}

} // namespace

std::unique_ptr<TestServer> TestServer::start(Kind kind, const std::vector<std::string>& config) {
  static int count = 0;
  const passwd* user = ::getpwuid(::getuid());
  auto program = sys::find_program(kind == Kind::sshd ? "/usr/sbin/sshd" : "/usr/sbin/dropbear");
  if (!program) return nullptr;

  std::unique_ptr<TestServer> server(new TestServer);
  server->dir_ = fmt::format("{}/banger-ssh-{}-{}", ::testing::TempDir(), ::getpid(), ++count);
  const std::string& dir = server->dir_;
  sys::remove_tree(dir);
  sys::make_dirs(dir + "/home/.ssh");
  KeyPair host_key = generate_key();
  StateKey key = ensure_state_key(dir + "/keys");
  sys::write_atomic(dir + "/home/.ssh/authorized_keys", key.public_line + "\n");
  sys::write_atomic(dir + "/openssh_key", openssh_private(host_key, "host"));
  sys::write_atomic(dir + "/dropbear_key", dropbear_private(host_key));
  Endpoint& e = server->endpoint_;
  e.address = test_address();
  e.port = sys::free_tcp_port(e.address);
  e.user = user ? user->pw_name : "tester";
  e.identity = key.identity;
  e.host_key = public_line(host_key);

  // The account as the server sees it: with a shell and a home, whoever runs the tests.
  std::string entry =
      fmt::format("{}:x:{}:{}::{}/home:/bin/sh\n", e.user, ::getuid(), ::getgid(), dir);
  sys::write_atomic(dir + "/passwd", entry + sys::read_file("/etc/passwd"), 0644);
  std::string account = fmt::format("mount --bind {}/passwd /etc/passwd && ", dir);
  if (kind == Kind::sshd) {
    std::string text =
        fmt::format("ListenAddress {}:{}\nHostKey {}/openssh_key\nPidFile none\n"
                    "AuthorizedKeysFile {}/home/.ssh/authorized_keys\nStrictModes no\n"
                    "UsePAM {}\nPermitRootLogin yes\nPrintMotd no\n",
                    e.address, e.port, dir, dir, ::getuid() == 0 ? "yes" : "no");
    for (const auto& line : config) text += line + "\n";
    // A client that is refused often waits there; tests cannot.
    if (version_of(*program) >= std::pair(9, 8)) text += "PerSourcePenalties no\n";
    sys::write_atomic(dir + "/sshd_config", text);
    std::string run = fmt::format("exec {} -D -e -f {}/sshd_config", *program, dir);
    if (::getuid() == 0) account += "mount -t tmpfs none /run && mkdir /run/sshd && ";
    server->command_ = in_namespace(account + run);
  } else {
    server->command_ = in_namespace(
        account + fmt::format("cd / && exec {1} -F -E -P {0}/pid -p {2}:{3} -r {0}/dropbear_key",
                              dir, *program, e.address, e.port));
  }
  server->start_again();
  for (Deadline patience{std::chrono::seconds(60)}; !patience.has_passed();) {
    if (answers(e)) return server;
    if (!server->child_->wait_for(Millis(50))) continue;
    server->child_.reset();
    break;
  }
  throw failed("no ssh server: {}", server->log());
}

void TestServer::start_again() {
  stop();
  Fd log = sys::open_file(dir_ + "/log", O_WRONLY | O_CREAT | O_APPEND);
  child_ = std::make_unique<sys::Child>(sys::spawn(command_, {-1, log.get(), log.get(), {}}));
}

void TestServer::stop() {
  if (!child_) return;
  child_->kill(SIGKILL);
  child_->wait();
  child_.reset();
}

std::string TestServer::log() const { return sys::find_content(dir_ + "/log").value_or(""); }

TestPeer::TestPeer(std::function<void(int)> act) {
  static int count = 0;
  dir_ = fmt::format("{}/banger-peer-{}-{}", ::testing::TempDir(), ::getpid(), ++count);
  endpoint_.address = test_address();
  endpoint_.port = sys::free_tcp_port(endpoint_.address);
  endpoint_.identity = ensure_state_key(dir_).identity;
  endpoint_.host_key = public_line(generate_key());
  listener_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(static_cast<uint16_t>(endpoint_.port));
  ::inet_pton(AF_INET, endpoint_.address.c_str(), &a.sin_addr);
  EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
  EXPECT_EQ(::listen(listener_.get(), 16), 0);
  thread_ = std::thread([this, act = std::move(act)] {
    for (;;) {
      Fd peer(::accept(listener_.get(), nullptr, nullptr));
      if (!peer) return;
      act(peer.get());
    }
  });
}

TestPeer::~TestPeer() {
  ::shutdown(listener_.get(), SHUT_RDWR);
  thread_.join();
  sys::remove_tree(dir_);
}

TestServer::~TestServer() {
  stop();
  sys::remove_tree(dir_);
}

} // namespace banger::guest

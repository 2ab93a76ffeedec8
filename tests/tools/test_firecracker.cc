// A VMM of the tests that behaves as Firecracker does, and boots nothing: its socket comes late, it
// is configured by requests and only then boots, its serial line is its standard input and output,
// it tells nothing when it ends, and ends with status 0 whatever its guest did; a guest that powers
// itself off leaves it running.
//
// Its guest is this program again, in a network namespace with a tap of its own and the address of
// the VM's seed, with a real sshd that runs no command of this machine: it knows true, poweroff,
// reboot and panic, and answers anything else with status 0.
//
//   banger-test-firecracker --api-sock FILE --id ID --log-path FIFO --level LEVEL --show-level
//   banger-test-firecracker guest SOCKET                (what its sshd runs)
//
// TEST_VMM, words with commas between them:
//   late=MS          the socket comes after that time
//   refuse=PATH      that request is answered with 400
//   stall=PATH       it is never answered, and nothing after it is read
//   slow=PATH        it is answered after 12 s, longer than others wait
//   die=PATH         it ends there, with status 0; `die=socket`: before its socket comes
//   cut=PATH         it breaks off in the middle of that answer
//   garbage=PATH     its answer is no HTTP
//   huge=PATH        its answer has no end
//   deaf             neither Ctrl-Alt-Del nor SIGTERM has any effect
//   silent           its guest never writes a byte
//   version=VERSION  1.16.1
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using Text = std::string;

[[noreturn]] void die(const Text& what) {
  std::fprintf(stderr, "banger-test-firecracker: %s: %s\n", what.c_str(), std::strerror(errno));
  std::_Exit(1);
}

void say(const Text& line) {
  Text out = line + "\n";
  if (::write(1, out.data(), out.size()) < 0) std::_Exit(0);
}

// The value of `word` in TEST_VMM; empty if it has none, "1" for a bare word.
Text setting(const Text& word) {
  const char* all = std::getenv("TEST_VMM");
  std::stringstream words(all ? all : "");
  for (Text one; std::getline(words, one, ',');) {
    if (one == word) return "1";
    if (one.starts_with(word + "=")) return one.substr(word.size() + 1);
  }
  return {};
}

Text version() {
  Text set = setting("version");
  return set.empty() ? "1.16.1" : set;
}

int listen_at(const Text& path) {
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  std::strncpy(a.sun_path, path.c_str(), sizeof a.sun_path - 1);
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&a), sizeof a) != 0 || ::listen(fd, 4) != 0)
    die("cannot listen on " + path);
  return fd;
}

// The value of `key` in a flat JSON object.
Text value_of(const Text& json, const Text& key) {
  size_t at = json.find("\"" + key + "\":\"");
  if (at == Text::npos) return {};
  at += key.size() + 4;
  return json.substr(at, json.find('"', at) - at);
}

// The files of the seed: the newc archive behind the base initrd (lib/guest/identity/seed.h).
std::map<Text, Text> seed_files(const Text& initrd) {
  std::ifstream in(initrd, std::ios::binary);
  std::stringstream whole;
  whole << in.rdbuf();
  const Text bytes = whole.str();
  std::map<Text, Text> files;
  for (size_t at = bytes.find("070701"); at != Text::npos; at = bytes.find("070701", at + 1)) {
    if (at + 110 > bytes.size()) break;
    auto field = [&](size_t n) {
      return std::strtoul(bytes.substr(at + 6 + 8 * n, 8).c_str(), nullptr, 16);
    };
    size_t length = field(6), name = field(11);
    if (name == 0 || name > 256 || at + 110 + name > bytes.size()) continue;
    Text path = bytes.substr(at + 110, name - 1);
    if (path.starts_with("banger/"))
      files[path] = bytes.substr((at + 110 + name + 3) / 4 * 4, length);
  }
  return files;
}

int open_tap(const Text& name) {
  int fd = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC);
  ifreq r{};
  std::strncpy(r.ifr_name, name.c_str(), IFNAMSIZ - 1);
  r.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (fd < 0 || ::ioctl(fd, TUNSETIFF, &r) != 0) die("cannot open the tap " + name);
  return fd;
}

void set_up(const Text& name, const Text& mac, const Text& address, int prefix) {
  int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  auto change = [&](unsigned long what, auto&& fill) {
    ifreq r{};
    std::strncpy(r.ifr_name, name.c_str(), IFNAMSIZ - 1);
    fill(r);
    if (::ioctl(fd, what, &r) != 0) die("cannot set up the guest's network");
  };
  auto inet = [](sockaddr& s, in_addr_t a) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = a;
    std::memcpy(&s, &in, sizeof in);
  };
  change(SIOCSIFHWADDR, [&](ifreq& r) {
    r.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    unsigned m[6] = {};
    std::sscanf(mac.c_str(), "%x:%x:%x:%x:%x:%x", m, m + 1, m + 2, m + 3, m + 4, m + 5);
    for (int i = 0; i < 6; i++) r.ifr_hwaddr.sa_data[i] = static_cast<char>(m[i]);
  });
  change(SIOCSIFADDR, [&](ifreq& r) { inet(r.ifr_addr, ::inet_addr(address.c_str())); });
  change(SIOCSIFNETMASK, [&](ifreq& r) { inet(r.ifr_netmask, htonl(~0U << (32 - prefix))); });
  change(SIOCSIFFLAGS, [&](ifreq& r) { r.ifr_flags = IFF_UP | IFF_RUNNING; });
}

void write_file(const Text& path, const Text& content, mode_t mode) {
  std::ofstream(path, std::ios::binary) << content;
  ::chmod(path.c_str(), mode);
}

// Frames between the VM's tap and the guest's.
[[noreturn]] void pass_frames(int a, int b) {
  char frame[65536];
  for (;;) {
    pollfd fds[2] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
    if (::poll(fds, 2, -1) < 0 && errno != EINTR) die("cannot poll");
    for (int i = 0; i < 2; i++) {
      if (!(fds[i].revents & POLLIN)) continue;
      ssize_t n = ::read(fds[i].fd, frame, sizeof frame);
      if (n > 0 && ::write(fds[1 - i].fd, frame, static_cast<size_t>(n)) < 0 && errno != EIO)
        die("cannot pass a frame");
    }
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  }
}

// The guest's root has a shell that reads no file of this machine's root: such a file may run
// programs that take long, and is not the test's.
void give_root_a_bare_shell() {
  std::ifstream in("/etc/passwd");
  Text users = "root:x:0:0:root:/:/bin/sh\n";
  for (Text line; std::getline(in, line);)
    if (line.rfind("root:", 0) != 0) users += line + "\n";
  write_file("/run/passwd", users, 0644);
  if (::mount("/run/passwd", "/etc/passwd", nullptr, MS_BIND, nullptr) != 0)
    die("cannot give the guest users of its own");
}

// The first process of the guest's namespaces: with it all others of the guest end.
[[noreturn]] void run_guest(int vm_tap, const Text& control) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  auto files = seed_files("initrd");
  std::map<Text, Text> seed;
  std::stringstream lines(files["banger/seed"]);
  for (Text line; std::getline(lines, line);)
    if (size_t eq = line.find('='); eq != Text::npos)
      seed[line.substr(0, eq)] = line.substr(eq + 1);
  for (const char* stage : {"start 0.1", "disk 0.2", "net 0.3", "switch 0.4"})
    say(Text("banger-init: ") + stage);
  if (::unshare(CLONE_NEWNS | CLONE_NEWNET) != 0 ||
      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("none", "/run", "tmpfs", 0, nullptr) != 0)
    die("cannot make the guest's namespaces");
  give_root_a_bare_shell();
  int own_tap = open_tap("eth0");
  set_up("eth0", seed["mac"], seed["address"], std::atoi(seed["prefix"].c_str()));
  ::mkdir("/run/sshd", 0755);
  write_file("/run/host_key", files["banger/files/etc/ssh/ssh_host_ed25519_key"], 0600);
  write_file("/run/authorized_keys", files["banger/files/root/.ssh/authorized_keys"], 0600);
  char self[4096] = {};
  if (::readlink("/proc/self/exe", self, sizeof self - 1) < 0) die("cannot find this program");
  write_file("/run/sshd_config",
             "ListenAddress 0.0.0.0:22\nHostKey /run/host_key\nAuthorizedKeysFile "
             "/run/authorized_keys\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nPrintMotd no\n"
             "PidFile none\nForceCommand " +
                 Text(self) + " guest " + control + "\n",
             0600);
  if (::fork() == 0) {
    ::execl("/usr/sbin/sshd", "/usr/sbin/sshd", "-D", "-e", "-f", "/run/sshd_config", nullptr);
    die("cannot run sshd");
  }
  pass_frames(vm_tap, own_tap);
}

// Stands in for a guest's shell: the words that would end the guest go to its VMM.
int shell(const Text& control) {
  const char* asked = std::getenv("SSH_ORIGINAL_COMMAND");
  Text word = asked ? asked : "";
  word = word.substr(0, word.find_first_of(" ;|"));
  if (word != "poweroff" && word != "reboot" && word != "panic") return 0;
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  std::strncpy(a.sun_path, control.c_str(), sizeof a.sun_path - 1);
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&a), sizeof a) != 0) die("cannot reach the VMM");
  if (::write(fd, word.data(), word.size()) < 0) die("cannot reach the VMM");
  return 0;
}

class FakeVmm {
public:
  FakeVmm(Text api, const Text& log) : api_(std::move(api)) {
    log_ = ::open(log.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (log_ < 0) die("cannot open " + log);
    note("Running Firecracker v" + version());
    if (!setting("deaf").empty()) ::signal(SIGTERM, SIG_IGN);
    if (setting("die") == "socket") std::_Exit(0);
    if (Text late = setting("late"); !late.empty())
      ::usleep(static_cast<useconds_t>(std::atoi(late.c_str())) * 1000);
    listener_ = listen_at(api_);
    ::unlink("guest.sock");
    control_ = listen_at("guest.sock");
  }

  [[noreturn]] void run() {
    for (;;) {
      pollfd fds[4] = {{stalled_ ? -1 : listener_, POLLIN, 0},
                       {client_, POLLIN, 0},
                       {control_, POLLIN, 0},
                       {stalled_ ? -1 : 0, POLLIN, 0}};
      if (stalled_) fds[1].fd = -1;
      if (::poll(fds, 4, -1) < 0) continue;
      if (fds[0].revents & POLLIN) {
        if (client_ >= 0) ::close(client_);
        client_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        asked_.clear();
      }
      if (fds[1].revents) on_client();
      if (fds[2].revents & POLLIN) on_guest();
      if (fds[3].revents & POLLIN) echo();
    }
  }

private:
  // A line is lost where the reader is not there, or slow.
  void note(const Text& line) {
    Text out = "2026-01-01T00:00:00.000000000 [vm:main:INFO] " + line + "\n";
    if (::write(log_, out.data(), out.size()) < 0) return;
  }

  void on_client() {
    char block[8192];
    ssize_t n = ::read(client_, block, sizeof block);
    if (n <= 0) {
      ::close(client_);
      client_ = -1;
      return;
    }
    asked_.append(block, static_cast<size_t>(n));
    for (size_t head; !stalled_ && (head = asked_.find("\r\n\r\n")) != Text::npos;) {
      size_t length = 0, at = asked_.find("Content-Length: ");
      if (at < head) length = std::strtoul(asked_.c_str() + at + 16, nullptr, 10);
      if (asked_.size() < head + 4 + length) return;
      Text method = asked_.substr(0, asked_.find(' ')), path = asked_.substr(method.size() + 1);
      path = path.substr(0, path.find(' '));
      answer(method, path, asked_.substr(head + 4, length));
      asked_.erase(0, head + 4 + length);
    }
  }

  void answer(const Text& method, const Text& path, const Text& body) {
    note("The API server received a request on \"" + path + "\".");
    if (setting("die") == path) {
      note("Firecracker exiting: made by a test.");
      std::_Exit(0);
    }
    if (setting("stall") == path) {
      stalled_ = true;
      return;
    }
    if (setting("slow") == path) ::sleep(12);
    if (setting("cut") == path) {
      send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"firecra");
      ::close(client_);
      client_ = -1;
      return;
    }
    if (setting("garbage") == path) return send("SSH-2.0-OpenSSH_9.2\r\n\r\n");
    if (setting("huge") == path) return send("HTTP/1.1 200 OK\r\nX: " + Text(4 << 20, 'x'));
    if (setting("refuse") == path) return reply("400 Bad Request", R"({"fault_message":"no."})");
    if (path == "/version")
      return reply("200 OK", R"({"firecracker_version":")" + version() + "\"}");
    if (path == "/")
      return reply("200 OK", R"({"state":")" + Text(stands_ ? "Paused" : "Running") + "\"}");
    if (path == "/vm") {
      stands_ = value_of(body, "state") == "Paused";
      // The process that passes the guest's frames stands still with it.
      if (guest_ > 0) ::kill(guest_, stands_ ? SIGSTOP : SIGCONT);
      return reply("204 ", "");
    }
    if (path == "/snapshot/create") {
      if (!stands_) return reply("400 Bad Request", R"({"fault_message":"it runs."})");
      write_file(value_of(body, "snapshot_path"), "devices of " + tap_, 0644);
      write_file(value_of(body, "mem_file_path"), Text((128 << 20) - 6, '\0') + "memory", 0644);
      return reply("204 ", "");
    }
    if (path == "/snapshot/load") {
      std::ifstream devices(value_of(body, "snapshot_path"));
      std::ifstream memory(value_of(body, "backend_path"));
      if (has_kernel_ || !devices || !memory)
        return reply("400 Bad Request", R"({"fault_message":"no such snapshot."})");
      tap_ = value_of(body, "host_dev_name");
      stands_ = true;
      boot();
      if (guest_ > 0) ::kill(guest_, SIGSTOP);
      return reply("204 ", "");
    }
    if (method == "PATCH" && body.find("rate_limiter") != Text::npos)
      return guest_ > 0 ? reply("204 ", "")
                        : reply("400 Bad Request", R"({"fault_message":"not started."})");
    if (path != "/actions") {
      if (guest_ > 0)
        return reply("400 Bad Request",
                     R"({"fault_message":"not supported after starting the microVM."})");
      if (path.starts_with("/network-interfaces/")) tap_ = value_of(body, "host_dev_name");
      if (path == "/boot-source") has_kernel_ = true;
      if (path == "/metrics") metrics_ = value_of(body, "metrics_path");
      return reply("204 ", "");
    }
    Text action = value_of(body, "action_type");
    if (action == "InstanceStart" && (!has_kernel_ || guest_ > 0))
      return reply("400 Bad Request", R"({"fault_message":"no kernel, or started already."})");
    reply("204 ", "");
    if (action == "FlushMetrics")
      write_line(
          metrics_,
          R"({"block_upper":{"read_bytes":4096,"read_count":1},"net_n0":{"rx_bytes_count":7}})");
    if (action == "InstanceStart") boot();
    if (action == "SendCtrlAltDel" && setting("deaf").empty())
      end_guest("reboot: Restarting system");
  }

  static void write_line(const Text& fifo, const Text& line) {
    int fd = ::open(fifo.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || ::write(fd, (line + "\n").data(), line.size() + 1) < 0)
      die("cannot write metrics");
    ::close(fd);
  }

  void reply(const Text& status, const Text& body) {
    Text out = "HTTP/1.1 " + status + "\r\nServer: Firecracker API\r\nConnection: keep-alive\r\n";
    if (!body.empty()) out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    send(out + "\r\n" + body);
  }

  // A client that has gone is seen where it is read.
  void send(const Text& out) {
    for (size_t at = 0; at < out.size();) {
      ssize_t n = ::write(client_, out.data() + at, out.size() - at);
      if (n < 0) return;
      at += static_cast<size_t>(n);
    }
  }

  void boot() {
    if (!setting("silent").empty()) return;
    if (tap_.empty()) return say("[    0.000000] Linux version of a test"); // a probe needs no more
    char here[4096];
    if (!::getcwd(here, sizeof here)) die("cannot tell the directory");
    int tap = open_tap(tap_);
    if (::unshare(CLONE_NEWPID) != 0) die("cannot make the guest's namespace");
    guest_ = ::fork();
    if (guest_ == 0) run_guest(tap, Text(here) + "/guest.sock");
    ::close(tap);
  }

  void on_guest() {
    int fd = ::accept4(control_, nullptr, nullptr, SOCK_CLOEXEC);
    char word[64] = {};
    if (::read(fd, word, sizeof word - 1) > 0) {
      if (Text(word) == "reboot") end_guest("reboot: Restarting system");
      if (Text(word) == "panic") end_guest("Kernel panic - not syncing: made by a test");
      if (Text(word) == "poweroff") {
        ::kill(guest_, SIGKILL);
        say("[    9.000000] reboot: System halted"); // and runs on
      }
    }
    ::close(fd);
  }

  [[noreturn]] void end_guest(const Text& last_words) {
    if (guest_ > 0) {
      ::kill(guest_, SIGKILL);
      ::waitpid(guest_, nullptr, 0);
    }
    say("[    9.000000] " + last_words);
    std::_Exit(0);
  }

  static void echo() {
    char block[4096];
    ssize_t n = ::read(0, block, sizeof block);
    if (n > 0) say("typed: " + Text(block, static_cast<size_t>(n)));
  }

  Text api_, asked_, tap_, metrics_;
  int log_ = -1, listener_ = -1, control_ = -1, client_ = -1;
  pid_t guest_ = 0;
  bool has_kernel_ = false, stalled_ = false, stands_ = false;
};

} // namespace

int main(int argc, char** argv) {
  std::vector<Text> words(argv + 1, argv + argc);
  if (words.size() == 2 && words[0] == "guest") return shell(words[1]);
  if (words.size() == 1 && words[0] == "--version")
    return std::printf("Firecracker v%s\n\n", version().c_str()), 0;
  if (words.size() != 9 || words[0] != "--api-sock" || words[4] != "--log-path")
    die("unknown arguments");
  ::signal(SIGPIPE, SIG_IGN);
  FakeVmm(words[1], words[5]).run();
}

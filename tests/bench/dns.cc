// The DNS rows of the bench: a server that only sends back what it gets, and those who ask. Plain
// system calls and one file, so that nothing of ours is in the reference.
//
//   banger-bench-dns echo PORT                  sends every datagram back, 64 at a time
//   banger-bench-dns saturate PORT NAMES SECS   asks for NAME.vm (v0 to v<NAMES - 1>), 256
//   questions
//                                               in flight; prints {"answers","seconds"}
//   banger-bench-dns latency PORT NAMES COUNT   one in flight; prints {"p50","p99"} in seconds
//   banger-bench-dns first PORT SECS            asks until the first answer; prints {"answers"}
//
// All on 127.0.0.1, and with an end.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

constexpr unsigned most = 64;    // datagrams a system call
constexpr int in_flight = 256;   // fewer than a socket's buffer has room for
constexpr int patience_ms = 200; // then what was asked is taken for lost

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

struct Messages {
  std::array<std::array<char, 1280>, most> bytes;
  std::array<sockaddr_in, most> peers{};
  std::array<iovec, most> parts{};
  std::array<mmsghdr, most> headers{};

  void prepare(unsigned i, bool with_peer) {
    parts[i] = {bytes[i].data(), bytes[i].size()};
    headers[i] = {};
    headers[i].msg_hdr.msg_iov = &parts[i];
    headers[i].msg_hdr.msg_iovlen = 1;
    if (!with_peer) return;
    headers[i].msg_hdr.msg_name = &peers[i];
    headers[i].msg_hdr.msg_namelen = sizeof peers[i];
  }
};

int udp_socket() {
  int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  return fd;
}

sockaddr_in place(const char* port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(static_cast<uint16_t>(std::atoi(port)));
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

int echo(const char* port) {
  int fd = udp_socket();
  sockaddr_in here = place(port);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&here), sizeof here) != 0) fail("bind");
  static Messages m;
  for (;;) {
    for (unsigned i = 0; i < most; i++) m.prepare(i, true);
    // As a server on a loop does: it waits, then takes what is there.
    pollfd p{fd, POLLIN, 0};
    if (::poll(&p, 1, -1) < 0) fail("poll");
    int n = ::recvmmsg(fd, m.headers.data(), most, MSG_DONTWAIT, nullptr);
    if (n < 0) continue;
    for (int i = 0; i < n; i++)
      m.parts[static_cast<unsigned>(i)].iov_len = m.headers[static_cast<unsigned>(i)].msg_len;
    if (::sendmmsg(fd, m.headers.data(), static_cast<unsigned>(n), 0) < 0) fail("sendmmsg");
  }
}

int connect_to(const char* port) {
  int fd = udp_socket();
  sockaddr_in there = place(port);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&there), sizeof there) != 0) fail("connect");
  return fd;
}

std::vector<std::string> questions(int names) {
  std::vector<std::string> all;
  for (int i = 0; i < names; i++) {
    std::string name = "v" + std::to_string(i);
    std::string q("\0\0\1\0\0\1\0\0\0\0\0\0", 12);
    q[0] = static_cast<char>(i >> 8);
    q[1] = static_cast<char>(i);
    q += static_cast<char>(name.size());
    q += name;
    q.append("\2vm\0\0\1\0\1", 8);
    all.push_back(q);
  }
  return all;
}

bool is_readable(int fd, int ms) {
  pollfd p{fd, POLLIN, 0};
  return ::poll(&p, 1, ms) > 0;
}

int saturate(const char* port, int names, double seconds) {
  int fd = connect_to(port);
  auto all = questions(names);
  static Messages out, in;
  auto began = Clock::now();
  long answers = 0;
  size_t next = 0;
  int waiting = 0;
  while (seconds_since(began) < seconds) {
    while (waiting + static_cast<int>(most) <= in_flight) {
      for (unsigned i = 0; i < most; i++) {
        std::string& q = all[next++ % all.size()];
        out.prepare(i, false);
        out.parts[i] = {q.data(), q.size()};
      }
      int n = ::sendmmsg(fd, out.headers.data(), most, 0);
      if (n < 0) fail("sendmmsg");
      waiting += n;
    }
    if (!is_readable(fd, patience_ms)) {
      waiting = 0;
      continue;
    }
    for (unsigned i = 0; i < most; i++) in.prepare(i, false);
    int n = ::recvmmsg(fd, in.headers.data(), most, MSG_DONTWAIT, nullptr);
    if (n < 0) fail("recvmmsg");
    answers += n;
    waiting = std::max(0, waiting - n);
  }
  std::printf("{\"answers\":%ld,\"seconds\":%.6f}\n", answers, seconds_since(began));
  return 0;
}

int latency(const char* port, int names, int count) {
  int fd = connect_to(port);
  auto all = questions(names);
  std::vector<double> took;
  char answer[1280];
  for (int i = 0; i < count; i++) {
    const std::string& q = all[static_cast<size_t>(i) % all.size()];
    auto began = Clock::now();
    if (::send(fd, q.data(), q.size(), 0) < 0) fail("send");
    if (!is_readable(fd, patience_ms) || ::recv(fd, answer, sizeof answer, 0) < 0) continue;
    took.push_back(seconds_since(began));
  }
  if (took.empty()) return 1;
  std::sort(took.begin(), took.end());
  std::printf("{\"p50\":%.9f,\"p99\":%.9f}\n", took[took.size() / 2], took[took.size() * 99 / 100]);
  return 0;
}

int first(const char* port, double seconds) {
  auto all = questions(1);
  char answer[1280];
  for (auto began = Clock::now(); seconds_since(began) < seconds;) {
    int fd = connect_to(port);
    // Refused at once while nobody is there.
    bool answered = ::send(fd, all[0].data(), all[0].size(), 0) >= 0 && is_readable(fd, 20) &&
                    ::recv(fd, answer, sizeof answer, 0) >= 0;
    ::close(fd);
    if (answered) {
      std::puts("{\"answers\":1}");
      return 0;
    }
  }
  return 1;
}

} // namespace

int main(int argc, char** argv) {
  std::string_view verb = argc > 2 ? argv[1] : "";
  if (verb == "echo") return echo(argv[2]);
  if (verb == "saturate" && argc == 5)
    return saturate(argv[2], std::atoi(argv[3]), std::atof(argv[4]));
  if (verb == "latency" && argc == 5)
    return latency(argv[2], std::atoi(argv[3]), std::atoi(argv[4]));
  if (verb == "first" && argc == 4) return first(argv[2], std::atof(argv[3]));
  std::fputs("usage: banger-bench-dns echo PORT | saturate PORT NAMES SECONDS | "
             "latency PORT NAMES COUNT | first PORT SECONDS\n",
             stderr);
  return 2;
}

// UDP for guests whose busybox has none; linked statically and copied into them.
//
//   banger-test-udp echo PORT                    sends every datagram back, for ever
//   banger-test-udp send FROM_PORT ADDRESS PORT  one datagram
//   banger-test-udp many NUMBER ADDRESS PORT     one from each of so many ports
//   banger-test-udp ask SECONDS ADDRESS PORT     standard input as one; prints the answer
//   banger-test-udp flood SECONDS ADDRESS PORT   standard input as one, as often as can be
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

sockaddr_in place(const char* address, const char* port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(std::atoi(port)));
  inet_pton(AF_INET, address, &to.sin_addr);
  return to;
}

int fail(const char* what) {
  std::perror(what);
  return 1;
}

int send_many(int number, const sockaddr_in& to) {
  for (int i = 0; i < number; i++) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0); // open to the end, so that the next has another port
    if (fd < 0) return fail("socket");
    if (sendto(fd, "one", 3, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0)
      return fail("send");
  }
  return 0;
}

int talk(bool once, int seconds, const sockaddr_in& to) {
  char data[65536];
  ssize_t size = read(0, data, sizeof data);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0 || connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0)
    return fail("socket");
  if (once) {
    timeval limit{seconds, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (send(fd, data, static_cast<size_t>(size), 0) < 0) return fail("send");
    if ((size = recv(fd, data, sizeof data, 0)) < 0) return fail("receive");
    return write(1, data, static_cast<size_t>(size)) == size ? 0 : fail("write");
  }
  for (time_t end = time(nullptr) + seconds; time(nullptr) < end;)
    if (send(fd, data, static_cast<size_t>(size), 0) < 0 && errno != ENOBUFS) return fail("send");
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  std::string_view verb = argc > 2 ? argv[1] : "";
  if (verb != "echo" &&
      (argc < 5 || (verb != "send" && verb != "many" && verb != "ask" && verb != "flood")))
    return 2;
  if (verb == "ask" || verb == "flood")
    return talk(verb == "ask", std::atoi(argv[2]), place(argv[3], argv[4]));
  if (verb == "many") return send_many(std::atoi(argv[2]), place(argv[3], argv[4]));
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in here = place("0.0.0.0", argv[2]);
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&here), sizeof here) < 0) return fail("bind");
  if (verb == "send") {
    sockaddr_in to = place(argv[3], argv[4]);
    if (sendto(fd, "offer", 5, 0, reinterpret_cast<sockaddr*>(&to), sizeof to) < 0)
      return fail("send");
    return 0;
  }
  for (;;) {
    char data[65536];
    sockaddr_in from{};
    socklen_t size = sizeof from;
    ssize_t n = recvfrom(fd, data, sizeof data, 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (n < 0 ||
        sendto(fd, data, static_cast<size_t>(n), 0, reinterpret_cast<sockaddr*>(&from), size) < 0)
      return fail("echo");
  }
}

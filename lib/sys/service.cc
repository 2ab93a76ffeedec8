#include "sys/service.h"

#include <cstddef>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/socket_impl.h"

namespace banger::sys {

namespace {

constexpr int first_socket = 3;

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string taken = value ? value : "";
  ::unsetenv(name);
  return taken;
}

// "@name" stands for an abstract one, whose first byte is 0.
bool unix_address(std::string_view name, sockaddr_un& a, socklen_t& size) {
  a = {};
  a.sun_family = AF_UNIX;
  if (name.empty() || name.size() >= sizeof a.sun_path) return false;
  name.copy(a.sun_path, name.size());
  if (name[0] == '@') a.sun_path[0] = '\0';
  size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  return true;
}

} // namespace

std::vector<Fd> take_service_sockets() {
  std::string pid = take_variable("LISTEN_PID"), count = take_variable("LISTEN_FDS");
  take_variable("LISTEN_FDNAMES");
  std::vector<Fd> sockets;
  if (pid != fmt::format("{}", ::getpid())) return sockets;
  int all = std::atoi(count.c_str());
  for (int fd = first_socket; fd < first_socket + all; fd++) {
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
      throw usage("LISTEN_FDS is '{}', and descriptor {} is not open", count, fd);
    sockets.emplace_back(fd);
  }
  return sockets;
}

void tell_service_manager(std::string_view how) {
  const char* name = std::getenv("NOTIFY_SOCKET");
  sockaddr_un a;
  socklen_t size = 0;
  if (!name || !unix_address(name, a, size)) return;
  Fd fd = new_socket(AF_UNIX, SOCK_DGRAM);
  ::sendto(fd.get(), how.data(), how.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&a), size);
}

ServiceEar::ServiceEar() : fd_(new_socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK)) {
  // The kernel gives it an abstract name that no other socket has.
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  socklen_t size = sizeof a;
  if (::bind(fd_.get(), reinterpret_cast<sockaddr*>(&a), sizeof a.sun_family) != 0 ||
      ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&a), &size) != 0)
    throw sys_error(errno, "cannot name a socket");
  name_.assign(a.sun_path, size - offsetof(sockaddr_un, sun_path));
  name_[0] = '@';
}

bool ServiceEar::heard_ready() {
  char text[512];
  for (;;) {
    ssize_t n = ::recv(fd_.get(), text, sizeof text, MSG_DONTWAIT);
    if (n < 0) return false;
    std::string_view said(text, static_cast<size_t>(n));
    if (said == "READY=1" || said.starts_with("READY=1\n")) return true;
  }
}

} // namespace banger::sys

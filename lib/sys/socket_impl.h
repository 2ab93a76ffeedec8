// The helpers that the modules of sockets share. No other file includes this one.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/error.h"
#include "core/handle.h"

namespace banger::sys {

inline sockaddr_in inet_address(const std::string& address, int port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(static_cast<uint16_t>(port));
  if (::inet_pton(AF_INET, address.c_str(), &a.sin_addr) != 1)
    throw usage("invalid address '{}': not an IPv4 address", address);
  return a;
}

// An address of either family.
struct AnyAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};
// Throws Error(usage) for what is no address, or names a link that is not there.
AnyAddress any_address(const std::string& address, int port);

inline Fd new_socket(int domain, int type) {
  Fd fd(::socket(domain, type | SOCK_CLOEXEC, 0));
  if (!fd) throw sys_error(errno, "cannot make a socket");
  return fd;
}

inline void bind_to_link(int fd, const std::string& link) {
  if (::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, link.data(),
                   static_cast<socklen_t>(link.size())) != 0)
    throw sys_error(errno, "cannot bind a socket to the link '{}'", link);
}

// Whether a socket's number for this option of SOL_SOCKET is `want`; false for no socket.
inline bool has_option(int fd, int option, int want) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && value == want;
}

// Room for one control message of this type, and the message that it belongs to.
template <typename T>
struct Control {
  alignas(cmsghdr) char data[CMSG_SPACE(sizeof(T))]{};

  msghdr message(iovec& part) {
    msghdr m{};
    m.msg_iov = &part;
    m.msg_iovlen = 1;
    m.msg_control = data;
    m.msg_controllen = sizeof data;
    return m;
  }
  void put(msghdr& m, int level, int type, const T& value) {
    cmsghdr* c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(sizeof value);
    std::memcpy(CMSG_DATA(c), &value, sizeof value);
  }
};

} // namespace banger::sys

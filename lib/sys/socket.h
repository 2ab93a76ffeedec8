// Sockets: Unix stream sockets by path of any length, loopback TCP, and bounded lines over either.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/handle.h"
#include "core/units.h"

namespace banger::sys {

// A listening socket at `path`, 0600. A stale socket there is removed first. Works for paths longer
// than sockaddr_un holds (through a descriptor of the directory).
Fd listen_unix(const std::string& path);
// Throws Error(unreachable) when nobody listens.
Fd connect_unix(const std::string& path);
// None if nothing waits.
std::optional<Fd> accept_one(int listener);

// Two connected stream sockets.
std::pair<Fd, Fd> socket_pair();

// Whether this process could listen on address:port now. A wildcard listener on the port counts as
// taken. `err` gets the errno.
bool can_bind_tcp(const std::string& address, int port, int* err = nullptr);
bool can_bind_udp(const std::string& address, int port, int* err = nullptr);
// A port that is free now on that address.
int free_tcp_port(const std::string& address);
int free_udp_port(const std::string& address);
// Connects within `timeout`. Throws Error(unreachable), or timed_out.
Fd connect_tcp(const std::string& address, int port, Millis timeout);

// Writes all of it to a socket; a peer that is gone is an Error(unreachable), never SIGPIPE.
void send_all(int fd, std::string_view data);
// One read of what is there, or comes next, at most `max` bytes; empty at the end.
std::string read_some(int fd, size_t max);
// Writes what a nonblocking socket takes now; returns how much. Throws like send_all.
size_t send_some(int fd, std::string_view data);
// Reads what a nonblocking socket has now and drops it; false when its other end is gone.
bool discard(int fd);
void set_nonblocking(int fd, bool on = true);
// Waits until fd is readable; false when `timeout` passed.
bool wait_readable(int fd, std::optional<Millis> timeout);
// Waits until nobody is left to read what is written to fd (see Loop::watch_hangup; -1: none);
// false when `timeout` passed.
bool wait_hangup(int fd, std::optional<Millis> timeout);

// Lines from a descriptor. A peer that sends more than `max_line` bytes without a newline is cut
// off with an Error.
class LineReader {
public:
  explicit LineReader(int fd, size_t max_line = size_t{1} << 20) : fd_(fd), max_(max_line) {}
  // The next line without its newline; none at the end (a last line without newline is dropped: it
  // is half of one), or when `timeout` passed (then ended() is false).
  std::optional<std::string> next(std::optional<Millis> timeout = {});
  // A whole line that is here already, without reading more.
  std::optional<std::string> buffered();
  // Reads once what is there; false at the end. For poll loops: fill(), then buffered() until
  // empty.
  bool fill();
  bool ended() const { return ended_; }

private:
  int fd_;
  size_t max_;
  std::string buffer_;
  bool ended_ = false;
};

} // namespace banger::sys

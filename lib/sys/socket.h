// Sockets: Unix stream sockets by path of any length, loopback TCP, bounded lines over either, and
// datagrams.
#pragma once

#include <compare>
#include <cstdint>
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
// Throws Error(unreachable) when nobody listens, or nobody takes those who wait in `patience` (a
// process that is stopped does not).
Fd connect_unix(const std::string& path, Millis patience = Millis(2'000));
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
// The same over a Unix socket; the peer gets a copy of the descriptor `with` (LineReader::fill).
void send_with_descriptor(int fd, std::string_view data, int with);
// One read of what is there, or comes next, at most `max` bytes; empty at the end.
std::string read_some(int fd, size_t max);
// Writes what a nonblocking socket takes now; returns how much. Throws like send_all.
size_t send_some(int fd, std::string_view data);
// Reads what a nonblocking socket has now and drops it; false when its other end is gone.
bool discard(int fd);
void set_nonblocking(int fd, bool on = true);

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
  // The same on a Unix socket; a descriptor that comes along replaces `*came`, which may hold one
  // only: all but the last are closed. Lines sent before it may be read together with its own.
  bool fill(Fd* came);
  bool ended() const { return ended_; }

private:
  bool append(const char* block, ssize_t n);

  int fd_;
  size_t max_;
  std::string buffer_;
  bool ended_ = false;
};

// A datagram socket at address:port, nonblocking. The errno of one that is taken can be read from
// the Error.
Fd bind_udp(const std::string& address, int port);
// One that sends to address:port and hears from nobody else, nonblocking.
Fd connect_udp(const std::string& address, int port);
// Whether fd is a datagram socket of IPv4.
bool is_udp(int fd);

// Where a datagram came from, and to which address of this host; in network byte order.
struct UdpPeer {
  uint32_t address = 0;
  uint16_t port = 0;
  uint32_t local = 0;
  auto operator<=>(const UdpPeer&) const = default;
};

inline constexpr size_t most_datagram = 65536; // more than any datagram has

// One that is here now, cut to `size`; its length. None: nothing is here, or only the news that an
// earlier one did not arrive.
std::optional<size_t> receive_datagram(int fd, char* data, size_t size, UdpPeer* from = nullptr);
// Sent now, or lost, as datagrams may be. `to`: for a socket that is not connected; it goes out
// from to->local, where the other end's last one was sent to.
void send_datagram(int fd, std::string_view data, const UdpPeer* to = nullptr);

} // namespace banger::sys

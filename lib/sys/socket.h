// Stream sockets: Unix ones by a path of any length, and what is sent and read over any. Lines over
// them are in sys/lines.h, ports of this host in sys/inet.h, datagrams in sys/datagram.h.
#pragma once

#include <cstddef>
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
// Throws Error(unreachable) when no process listens, or none takes waiting clients in `patience` (a
// process that is stopped does not), or where a link stands at `path`: who may write to its
// directory does not choose whom this process speaks to elsewhere.
Fd connect_unix(const std::string& path, Millis patience = Millis(2'000));
// The process that has made the other end of a connection: has begun to listen, or connected. It
// may have ended. 0 where it is none that this process could see.
int maker_of(int fd);
// None if nothing waits.
std::optional<Fd> accept_one(int listener);

// Two connected stream sockets.
std::pair<Fd, Fd> socket_pair();

// Writes all of it to a socket; a peer that is gone is an Error(unreachable), never SIGPIPE.
void send_all(int fd, std::string_view data);
// The same over a Unix socket; the peer gets a copy of the descriptor `with` (sys/lines.h).
void send_with_descriptor(int fd, std::string_view data, int with);
// One read of what is there, or comes next, at most `max` bytes; empty at the end.
std::string read_some(int fd, size_t max);
// Writes what a nonblocking socket takes now; returns how much. Throws like send_all.
size_t send_some(int fd, std::string_view data);
// Reads what a nonblocking socket has now and drops it; false when its other end is gone.
bool discard(int fd);
void set_nonblocking(int fd, bool on = true);

} // namespace banger::sys

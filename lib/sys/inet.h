// Ports of this host, TCP and UDP over IPv4: which are free; and connecting to one, over IPv6 too.
#pragma once

#include <string>

#include "core/handle.h"
#include "core/units.h"

namespace banger::sys {

// Whether this process could listen on address:port now. A wildcard listener on the port counts as
// taken. `err` gets the errno.
bool can_bind_tcp(const std::string& address, int port, int* err = nullptr);
bool can_bind_udp(const std::string& address, int port, int* err = nullptr);
// A port that is free now on that address.
int free_tcp_port(const std::string& address);
int free_udp_port(const std::string& address);

// Whether it is an address in numbers, of IPv4 or of IPv6, the latter with or without the link that
// it holds for: "::1", "fe80::1%eth0". Pure: whether there is such a link is not asked.
bool is_address(const std::string& text);
// Connects within `timeout`. Throws Error(unreachable), or timed_out.
Fd connect_tcp(const std::string& address, int port, Millis timeout);

// Whether it connects within `timeout`: 0, or the errno that kept it from that, which is ETIMEDOUT
// where nothing answers, and ECANCELED where `until` is readable before (-1: nothing ends it).
int try_connect_tcp(const std::string& address, int port, Millis timeout, int until = -1);

// The same as connect_tcp() without waiting: the socket can be written to when it is connected, or
// cannot be, which connect_error() tells: 0, or the errno.
Fd begin_connect_tcp(const std::string& address, int port);
int connect_error(int fd);

} // namespace banger::sys

// Datagrams over IPv4, and where they come from; over IPv6 to one that they are sent to alone.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/handle.h"

namespace banger::sys {

// A datagram socket at address:port, nonblocking. The errno of one that is taken can be read from
// the Error.
// With `link` it hears only what comes by that link, for which root's rights are needed; a link of
// the same name that is made later is another.
Fd bind_udp(const std::string& address, int port, const std::string& link = {});
// One that sends to address:port, over IPv4 or IPv6 (is_address, sys/inet.h), and hears from nobody
// else, nonblocking.
Fd connect_udp(const std::string& address, int port);
// Has a socket that others made tell to which address a datagram was sent where it has several, as
// those of bind_udp do.
void tell_destination(int fd);
// Whether fd is a datagram socket of IPv4.
bool is_udp(int fd);

// Where a datagram came from, and to which address of this host, 0 where the socket has but one; in
// network byte order.
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

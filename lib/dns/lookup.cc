#include "dns/lookup.h"

#include <array>
#include <random>

#include "core/clock.h"
#include "core/error.h"
#include "sys/datagram.h"
#include "sys/inet.h"
#include "sys/socket.h"
#include "sys/wait.h"

namespace banger::dns {

namespace {

constexpr int most_tries = 3;

struct Asked {
  const std::string& address;
  int port;
  Error silence(Millis patience) const {
    return timed_out("no answer from {}:{} in {}", address, port, format_duration(patience));
  }
};

// A datagram may be lost: it is sent again as time passes.
Reply ask_by_udp(const Asked& at, const std::string& query, Millis patience) {
  Fd fd = sys::connect_udp(at.address, at.port);
  std::array<char, udp_limits.edns> packet;
  for (int tries = 0; tries < most_tries; tries++) {
    sys::send_datagram(fd.get(), query);
    if (!sys::wait_readable(fd.get(), patience / most_tries)) continue;
    if (auto size = sys::receive_datagram(fd.get(), packet.data(), packet.size()))
      return decode_reply({packet.data(), *size}, query);
    // An ICMP message came instead.
    throw Error(Code::unreachable, fmt::format("nobody answers at {}:{}", at.address, at.port));
  }
  throw at.silence(patience);
}

Reply ask_by_tcp(const Asked& at, const std::string& query, Millis patience) {
  Deadline until(patience);
  Fd fd = sys::connect_tcp(at.address, at.port, patience);
  std::string frame{static_cast<char>(query.size() >> 8), static_cast<char>(query.size())};
  sys::send_all(fd.get(), frame + query);
  std::string in;
  auto size = [&] {
    return size_t{2} +
           (static_cast<size_t>(static_cast<uint8_t>(in[0])) << 8 | static_cast<uint8_t>(in[1]));
  };
  while (in.size() < 2 || in.size() < size()) {
    if (!sys::wait_readable(fd.get(), Millis(until.poll_ms()))) throw at.silence(patience);
    std::string more = sys::read_some(fd.get(), 65537);
    if (more.empty()) throw Error(Code::unreachable, "the connection was closed before an answer");
    in += more;
  }
  return decode_reply(std::string_view(in).substr(2, size() - 2), query);
}

} // namespace

Reply look_up(const std::string& address, int port, const Name& name, Type type, Millis patience) {
  Asked at{address, port};
  std::string query = encode_query(static_cast<uint16_t>(std::random_device()()), name, type);
  Reply reply = ask_by_udp(at, query, patience);
  return reply.truncated ? ask_by_tcp(at, query, patience) : reply;
}

} // namespace banger::dns

// Frames that no honest stack would send, for guests; linked statically and copied into them.
//
//   banger-test-frames LINK GATEWAY_MAC SOURCE DESTINATION
//     one of each kind, from LINK's own MAC, to port 9: a datagram of UDP; TCP with SYN, with SYN
//     and ECN bits, with ACK; an echo request; a datagram and a SYN in fragments, the first of 8
//     bytes; a datagram behind a VLAN tag; a protocol that is none of those
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using Bytes = std::vector<uint8_t>;

void put16(Bytes& b, unsigned v) {
  b.push_back(static_cast<uint8_t>(v >> 8));
  b.push_back(static_cast<uint8_t>(v));
}
void put32(Bytes& b, uint32_t v) {
  put16(b, v >> 16);
  put16(b, v & 0xffff);
}
void set16(Bytes& b, size_t at, unsigned v) {
  b[at] = static_cast<uint8_t>(v >> 8);
  b[at + 1] = static_cast<uint8_t>(v);
}

uint16_t checksum(const Bytes& b) {
  uint32_t sum = 0;
  for (size_t i = 0; i < b.size(); i += 2)
    sum += static_cast<uint32_t>(b[i] << 8) | (i + 1 < b.size() ? b[i + 1] : 0u);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

class Sender {
public:
  Sender(const char* link, const char* gateway, uint32_t source, uint32_t destination)
      : source_(source), destination_(destination),
        fd_(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL))) {
    ifreq request{};
    std::snprintf(request.ifr_name, sizeof request.ifr_name, "%s", link);
    std::array<unsigned, 6> mac{};
    good_ = fd_ >= 0 && ioctl(fd_, SIOCGIFHWADDR, &request) == 0 &&
            std::sscanf(gateway, "%x:%x:%x:%x:%x:%x", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
                        &mac[5]) == 6;
    for (unsigned m : mac) macs_.push_back(static_cast<uint8_t>(m));
    for (int i = 0; i < 6; i++)
      macs_.push_back(static_cast<uint8_t>(request.ifr_hwaddr.sa_data[i]));
    good_ = good_ && ioctl(fd_, SIOCGIFINDEX, &request) == 0;
    to_.sll_family = AF_PACKET;
    to_.sll_ifindex = request.ifr_ifindex;
    to_.sll_halen = 6;
  }
  bool good() const { return good_; }

  Bytes udp() const {
    Bytes b;
    put16(b, 40009);
    put16(b, 9);
    put16(b, 8 + 16);
    put16(b, 0); // without a checksum, as UDP allows
    b.insert(b.end(), 16, 'u');
    return b;
  }
  Bytes tcp(uint8_t flags) const {
    Bytes b;
    put16(b, 40009);
    put16(b, 9);
    put32(b, 1);
    put32(b, flags & 0x10 ? 1 : 0);
    b.push_back(5 << 4);
    b.push_back(flags);
    put16(b, 8192);
    put32(b, 0);
    Bytes all;
    put32(all, source_);
    put32(all, destination_);
    put16(all, IPPROTO_TCP);
    put16(all, static_cast<unsigned>(b.size()));
    all.insert(all.end(), b.begin(), b.end());
    set16(b, 16, checksum(all));
    return b;
  }
  Bytes echo() const {
    Bytes b{8, 0, 0, 0, 0, 9, 0, 1};
    b.insert(b.end(), 16, 'e');
    set16(b, 2, checksum(b));
    return b;
  }

  // In two fragments, the first of 8 bytes.
  void send_cut(uint8_t protocol, const Bytes& data) {
    Bytes first(data.begin(), data.begin() + 8), second(data.begin() + 8, data.end());
    send(protocol, first, 0x2000);
    send(protocol, second, 1);
  }
  void send(uint8_t protocol, const Bytes& data, unsigned fragment = 0, bool tagged = false) {
    Bytes ip{0x45, 0};
    put16(ip, static_cast<unsigned>(20 + data.size()));
    put16(ip, 0x4242);
    put16(ip, fragment);
    ip.push_back(64);
    ip.push_back(protocol);
    put16(ip, 0);
    put32(ip, source_);
    put32(ip, destination_);
    set16(ip, 10, checksum(ip));
    Bytes frame = macs_;
    if (tagged) {
      put16(frame, ETH_P_8021Q);
      put16(frame, 1);
    }
    put16(frame, ETH_P_IP);
    frame.insert(frame.end(), ip.begin(), ip.end());
    frame.insert(frame.end(), data.begin(), data.end());
    if (sendto(fd_, frame.data(), frame.size(), 0, reinterpret_cast<sockaddr*>(&to_), sizeof to_) <
        0)
      good_ = false;
  }

private:
  uint32_t source_, destination_;
  int fd_;
  bool good_ = false;
  Bytes macs_;
  sockaddr_ll to_{};
};

} // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  Sender s(argv[1], argv[2], ntohl(inet_addr(argv[3])), ntohl(inet_addr(argv[4])));
  if (s.good()) {
    s.send(IPPROTO_UDP, s.udp());
    for (int flags : {0x02, 0xc2, 0x10}) s.send(IPPROTO_TCP, s.tcp(static_cast<uint8_t>(flags)));
    s.send(IPPROTO_ICMP, s.echo());
    s.send_cut(IPPROTO_UDP, s.udp());
    s.send_cut(IPPROTO_TCP, s.tcp(0x02));
    s.send(IPPROTO_UDP, s.udp(), 0, true);
    s.send(IPPROTO_GRE, s.udp());
  }
  if (s.good()) return 0;
  std::perror("banger-test-frames");
  return 1;
}

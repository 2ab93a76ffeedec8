// A tap on a bridge by the least that the kernel must be asked for it: for references of the bench.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/error.h"
#include "core/handle.h"

namespace banger::bench {

class BareLinks {
public:
  // In the namespace that this process is in; the bridge is there.
  explicit BareLinks(const std::string& bridge) : bridge_(::if_nametoindex(bridge.c_str())) {}

  // Made, with the user of this process as owner, and then attached and brought up.
  void up(const std::string& tap) {
    {
      // Closed before it is up: a carrier that goes would be waited for.
      Fd tun(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
      ifreq request{};
      std::memcpy(request.ifr_name, tap.data(), tap.size());
      request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
      if (::ioctl(tun.get(), TUNSETIFF, &request) || ::ioctl(tun.get(), TUNSETOWNER, ::geteuid()) ||
          ::ioctl(tun.get(), TUNSETPERSIST, 1))
        throw sys_error(errno, "cannot make a tap");
    }
    attach(static_cast<int>(::if_nametoindex(tap.c_str())));
  }

private:
  // Master and up in one message.
  void attach(int index) {
    struct {
      nlmsghdr header;
      ifinfomsg link;
      rtattr attribute;
      uint32_t master;
    } m{};
    m.header.nlmsg_len = sizeof m;
    m.header.nlmsg_type = RTM_NEWLINK;
    m.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    m.link.ifi_index = index;
    m.link.ifi_flags = m.link.ifi_change = IFF_UP;
    m.attribute.rta_type = IFLA_MASTER;
    m.attribute.rta_len = RTA_LENGTH(sizeof m.master);
    m.master = bridge_;
    char answer[1024];
    ssize_t size = -1;
    if (::send(netlink_.get(), &m, sizeof m, 0) > 0)
      size = ::recv(netlink_.get(), answer, sizeof answer, 0);
    auto* reply = reinterpret_cast<nlmsghdr*>(answer);
    if (size < 0 || reply->nlmsg_type != NLMSG_ERROR ||
        reinterpret_cast<nlmsgerr*>(NLMSG_DATA(reply))->error != 0)
      throw failed("cannot attach a tap");
  }

  Fd netlink_{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)};
  unsigned bridge_;
};

} // namespace banger::bench

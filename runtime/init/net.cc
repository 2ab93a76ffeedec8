#include "init/init.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <strings.h>

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace banger::init {

namespace {

// One rtnetlink request, built in place and answered before the next.
struct Request {
  alignas(NLMSG_ALIGNTO) char buffer[256] = {};
  nlmsghdr* header() { return reinterpret_cast<nlmsghdr*>(buffer); }

  template <typename Body>
  Request(uint16_t type, uint16_t flags, const Body& body) {
    header()->nlmsg_len = NLMSG_LENGTH(sizeof body);
    header()->nlmsg_type = type;
    header()->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    memcpy(NLMSG_DATA(buffer), &body, sizeof body);
  }

  void add(uint16_t type, uint32_t value) {
    auto* attribute = reinterpret_cast<rtattr*>(buffer + NLMSG_ALIGN(header()->nlmsg_len));
    attribute->rta_type = type;
    attribute->rta_len = RTA_LENGTH(sizeof value);
    memcpy(RTA_DATA(attribute), &value, sizeof value);
    header()->nlmsg_len =
        static_cast<uint32_t>(NLMSG_ALIGN(header()->nlmsg_len) + RTA_SPACE(sizeof value));
  }

  // Sets errno to the kernel's answer.
  bool send_to(int netlink) {
    char answer[1024];
    if (send(netlink, buffer, header()->nlmsg_len, 0) < 0) return false;
    ssize_t size = recv(netlink, answer, sizeof answer, 0);
    if (size < 0) return false;
    auto* reply = reinterpret_cast<nlmsghdr*>(answer);
    if (!NLMSG_OK(reply, size) || reply->nlmsg_type != NLMSG_ERROR) return errno = EPROTO, false;
    errno = -reinterpret_cast<nlmsgerr*>(NLMSG_DATA(reply))->error;
    return errno == 0;
  }
};

bool bring_up(int netlink, int index) {
  ifinfomsg link{};
  link.ifi_index = index;
  link.ifi_flags = IFF_UP;
  link.ifi_change = IFF_UP;
  return Request(RTM_NEWLINK, 0, link).send_to(netlink);
}

bool add_address(int netlink, int index, const Seed& seed) {
  ifaddrmsg address{};
  address.ifa_family = AF_INET;
  address.ifa_prefixlen = static_cast<uint8_t>(seed.prefix);
  address.ifa_index = static_cast<uint32_t>(index);
  Request request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, address);
  request.add(IFA_LOCAL, seed.address);
  request.add(IFA_ADDRESS, seed.address);
  if (seed.prefix < 31) request.add(IFA_BROADCAST, seed.address | htonl(~0U >> seed.prefix));
  return request.send_to(netlink);
}

bool add_default_route(int netlink, int index, const Seed& seed) {
  rtmsg route{};
  route.rtm_family = AF_INET;
  route.rtm_table = RT_TABLE_MAIN;
  route.rtm_protocol = RTPROT_STATIC;
  route.rtm_scope = RT_SCOPE_UNIVERSE;
  route.rtm_type = RTN_UNICAST;
  route.rtm_flags = RTNH_F_ONLINK; // so that a gateway outside the prefix (a /32) works too
  Request request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route);
  request.add(RTA_GATEWAY, seed.gateway);
  request.add(RTA_OIF, static_cast<uint32_t>(index));
  return request.send_to(netlink);
}

// The index of the interface with that MAC, or of the first that is not lo; 0 if there is none.
int find_interface(const char* mac) {
  constexpr const char* all = "/sys/class/net";
  DIR* dir = opendir(all);
  if (!dir) return 0;
  unsigned index = 0;
  while (dirent* entry = readdir(dir)) {
    if (entry->d_name[0] == '.' || strcmp(entry->d_name, "lo") == 0) continue;
    char path[320];
    snprintf(path, sizeof path, "%s/%s/address", all, entry->d_name);
    if (*mac && read_line(path) != mac) continue;
    index = if_nametoindex(entry->d_name);
    break;
  }
  closedir(dir);
  return static_cast<int>(index);
}

bool configure(int netlink, const Seed& seed) {
  if (!bring_up(netlink, 1)) return fail("cannot bring up lo: %m"); // lo is always the first
  if (!seed.address) return true;
  int index = find_interface(seed.mac);
  if (!index)
    return *seed.mac ? fail("no interface has the address %s", seed.mac)
                     : fail("there is no interface");
  if (!add_address(netlink, index, seed)) return fail("cannot set the address: %m");
  if (!bring_up(netlink, index)) return fail("cannot bring up the interface: %m");
  if (seed.gateway && !add_default_route(netlink, index, seed))
    return fail("cannot set the route: %m");
  return true;
}

} // namespace

bool configure_net(const Seed& seed) {
  int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (netlink < 0) return fail("cannot open netlink: %m");
  bool ok = configure(netlink, seed);
  close(netlink);
  return ok;
}

} // namespace banger::init

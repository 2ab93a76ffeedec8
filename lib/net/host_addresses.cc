#include "net/host_addresses.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include "core/error.h"

namespace banger::net {

namespace {

bool is_own(const rtmsg& r) {
  return r.rtm_family == AF_INET && r.rtm_table == RT_TABLE_LOCAL &&
         (r.rtm_type == RTN_LOCAL || r.rtm_type == RTN_BROADCAST || r.rtm_type == RTN_ANYCAST);
}

void take(std::vector<Prefix>& into, const nlattr* address, int length) {
  if (address && ::nla_len(address) != sizeof(uint32_t)) return;
  into.push_back({{address ? ntohl(::nla_get_u32(address)) : 0}, length});
}

// Adds the addresses of one message of a dump.
int on_dump(nl_msg* message, void* into) {
  auto& own = *static_cast<std::vector<Prefix>*>(into);
  nlmsghdr* header = ::nlmsg_hdr(message);
  if (header->nlmsg_type == RTM_NEWADDR) {
    auto* a = static_cast<ifaddrmsg*>(::nlmsg_data(header));
    if (a->ifa_family == AF_INET)
      if (nlattr* local = ::nlmsg_find_attr(header, sizeof *a, IFA_LOCAL)) take(own, local, 32);
  } else if (header->nlmsg_type == RTM_NEWROUTE) {
    auto* r = static_cast<rtmsg*>(::nlmsg_data(header));
    if (is_own(*r)) take(own, ::nlmsg_find_attr(header, sizeof *r, RTA_DST), r->rtm_dst_len);
  }
  return NL_OK;
}

// Whether one that came by itself tells of an address. Links count too: the routes of one that goes
// down go without a word.
int on_news(nl_msg* message, void* into) {
  nlmsghdr* header = ::nlmsg_hdr(message);
  bool route = header->nlmsg_type == RTM_NEWROUTE || header->nlmsg_type == RTM_DELROUTE;
  if (!route || is_own(*static_cast<rtmsg*>(::nlmsg_data(header))))
    *static_cast<bool*>(into) = true;
  return NL_OK;
}

void check(int code, const char* what) {
  if (code < 0) throw failed("cannot {} the host's addresses: {}", what, ::nl_geterror(code));
}

// All of one table. The kernel says so when it changed while it was read; then it is read again.
template <typename Header>
void dump(nl_sock* socket, int type, Header header) {
  for (;;) {
    check(::nl_send_simple(socket, type, NLM_F_DUMP, &header, sizeof header), "read");
    int code = ::nl_recvmsgs_default(socket);
    if (code == -NLE_DUMP_INTR) continue;
    return check(code, "read");
  }
}

} // namespace

void HostAddresses::Close::operator()(nl_sock* s) const { ::nl_socket_free(s); }

HostAddresses::HostAddresses() : asks_(::nl_socket_alloc()), hears_(::nl_socket_alloc()) {
  if (!asks_ || !hears_) throw sys_error(ENOMEM, "cannot open netlink");
  check(::nl_connect(asks_.get(), NETLINK_ROUTE), "read");
  // A kernel that knows it sends only what was asked for, of a table that may be large.
  int yes = 1;
  ::setsockopt(::nl_socket_get_fd(asks_.get()), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &yes,
               sizeof yes);
  ::nl_socket_disable_seq_check(hears_.get());
  check(::nl_connect(hears_.get(), NETLINK_ROUTE), "follow");
  check(::nl_socket_add_memberships(hears_.get(), RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
                                    RTNLGRP_IPV4_ROUTE, 0),
        "follow");
  check(::nl_socket_set_nonblocking(hears_.get()), "follow");
}

int HostAddresses::fd() const { return ::nl_socket_get_fd(hears_.get()); }

bool HostAddresses::changed() {
  bool news = false;
  ::nl_socket_modify_cb(hears_.get(), NL_CB_VALID, NL_CB_CUSTOM, on_news, &news);
  for (;;) {
    int code = ::nl_recvmsgs_default(hears_.get());
    if (code == -NLE_AGAIN) return news;
    // The kernel had more to tell than the socket could hold (ENOBUFS, which libnl calls this).
    if (code == -NLE_NOMEM)
      news = true;
    else
      check(code, "follow");
  }
}

std::vector<Prefix> HostAddresses::read() {
  std::vector<Prefix> own;
  ::nl_socket_modify_cb(asks_.get(), NL_CB_VALID, NL_CB_CUSTOM, on_dump, &own);
  ifaddrmsg addresses{};
  addresses.ifa_family = AF_INET;
  dump(asks_.get(), RTM_GETADDR, addresses);
  rtmsg routes{};
  routes.rtm_family = AF_INET;
  routes.rtm_table = RT_TABLE_LOCAL;
  dump(asks_.get(), RTM_GETROUTE, routes);
  return merged(std::move(own));
}

} // namespace banger::net

#include "net/links.h"

#include <cstring>
#include <optional>
#include <set>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/bridge.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/route.h>
#include <netlink/socket.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "core/error.h"
#include "core/failpoint.h"
#include "net/link_guard.h"
#include "sys/file.h"
#include "sys/namespace.h"

namespace banger::net {

namespace {

struct PutLink {
  void operator()(rtnl_link* l) const { ::rtnl_link_put(l); }
};
struct PutMessage {
  void operator()(nl_msg* m) const { ::nlmsg_free(m); }
};
using LinkPtr = std::unique_ptr<rtnl_link, PutLink>;

struct PutAddress {
  void operator()(nl_addr* a) const { ::nl_addr_put(a); }
  void operator()(rtnl_addr* a) const { ::rtnl_addr_put(a); }
};

std::unique_ptr<nl_addr, PutAddress> parse(const std::string& text, int family) {
  nl_addr* a = nullptr;
  if (int code = ::nl_addr_parse(text.c_str(), family, &a); code < 0)
    throw failed("invalid address of a network link '{}': {}", text, ::nl_geterror(code));
  return std::unique_ptr<nl_addr, PutAddress>(a);
}

LinkPtr checked(rtnl_link* link) {
  if (!link) throw sys_error(ENOMEM, "cannot describe a network link");
  return LinkPtr(link);
}

// Frames to 01:80:c2:00:00:0X are for the bridge alone, which gives them to the host as from the
// port. With these bits (IEEE 802.1D's groups but 01, which it throws away) they go by it as all
// others.
constexpr uint16_t groups_by_the_bridge = 0xfffd;

void check(int code, const char* what, const std::string& name) {
  if (code < 0)
    throw failed("cannot {} the network link '{}': {}", what, name, ::nl_geterror(code));
}

} // namespace

void Links::Close::operator()(nl_sock* s) const { ::nl_socket_free(s); }

Links::Links()
    : socket_(::nl_socket_alloc()), names_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  if (!names_) throw sys_error(errno, "cannot make a socket");
  if (!socket_) throw sys_error(ENOMEM, "cannot open netlink");
  if (int code = ::nl_connect(socket_.get(), NETLINK_ROUTE); code < 0)
    throw failed("cannot open netlink: {}", ::nl_geterror(code));
}

// One socket for all: if_nametoindex makes one each time. False: there is no link of that name.
bool Links::ask(unsigned long what, const std::string& name, ifreq& answer) const {
  if (name.empty() || name.size() >= sizeof answer.ifr_name) return false;
  std::memcpy(answer.ifr_name, name.data(), name.size());
  return ::ioctl(names_.get(), what, &answer) == 0;
}

int Links::index_of(const std::string& name) const {
  ifreq answer{};
  return ask(SIOCGIFINDEX, name, answer) ? answer.ifr_ifindex : 0;
}

bool Links::is_up(const std::string& name) const {
  ifreq answer{};
  return ask(SIOCGIFFLAGS, name, answer) && (answer.ifr_flags & IFF_UP) != 0;
}

int Links::change(int index, const Link& link, bool quiet_ipv6) {
  LinkPtr which = checked(::rtnl_link_alloc()), change = checked(::rtnl_link_alloc());
  ::rtnl_link_set_ifindex(which.get(), index);
  if (!link.master.empty()) ::rtnl_link_set_master(change.get(), index_of(link.master));
  ::rtnl_link_set_flags(change.get(), IFF_UP);
  if (link.mtu > 0) ::rtnl_link_set_mtu(change.get(), static_cast<unsigned>(link.mtu));
  if (link.group) ::rtnl_link_set_group(change.get(), link.group);
  if (!link.mac.empty()) ::rtnl_link_set_addr(change.get(), parse(link.mac, AF_LLC).get());
  if (quiet_ipv6) ::rtnl_link_inet6_set_addr_gen_mode(change.get(), IN6_ADDR_GEN_MODE_NONE);
  return ::rtnl_link_change(socket_.get(), which.get(), change.get(), 0);
}

void Links::ensure(const Link& link) {
  failpoint(Point::netlink);
  if (index_of(link.name) == 0) {
    if (link.optional) return;
    if (link.kind == Link::Kind::uplink)
      throw failed("cannot attach the network link '{}': it is not there", link.name);
    if (link.kind == Link::Kind::tap) {
      sys::make_tap(link.name, link.owner);
    } else {
      LinkPtr bridge = checked(::rtnl_link_bridge_alloc());
      ::rtnl_link_set_name(bridge.get(), link.name.c_str());
      check(::rtnl_link_add(socket_.get(), bridge.get(), NLM_F_CREATE | NLM_F_EXCL), "make",
            link.name);
    }
  }
  if (link.mute) silence(link);
  // No address but what was asked for, not even of IPv6: these links are wires. A kernel without
  // IPv6 refuses to hear of it.
  int index = index_of(link.name), code = change(index, link, true);
  if (code < 0) code = change(index, link, false);
  check(code, "bring up", link.name);
  if (link.kind == Link::Kind::uplink)
    set_port(index, link.name, [](nl_msg* port) {
      // Neighbours that the bridge has learned there already go too.
      int put = ::nla_put_u8(port, IFLA_BRPORT_LEARNING, 0);
      return put < 0 ? put : ::nla_put_flag(port, IFLA_BRPORT_FLUSH);
    });
  if (link.kind == Link::Kind::tap && link.mute)
    set_port(index, link.name, [](nl_msg* port) {
      return ::nla_put_u16(port, IFLA_BRPORT_GROUP_FWD_MASK, groups_by_the_bridge);
    });
  if (!link.address.empty()) give_address(index, link);
}

// Before it is up, or has a master. A kernel without IPv6 has no such file.
void Links::silence(const Link& link) {
  auto write = [&](const char* family, const char* key, const char* value) {
    auto file = sys::find_file(fmt::format("/proc/sys/net/{}/conf/{}/{}", family, link.name, key),
                               O_WRONLY | O_CLOEXEC);
    if (file) sys::write_all(file->get(), value);
  };
  write("ipv6", "disable_ipv6", "1");
  write("ipv4", "arp_ignore", link.kind == Link::Kind::tap ? "8" : "1");
}

// What the link is as a port of its bridge. libnl has no call for it: rtnetlink(7), IFLA_BRPORT_…
// of linux/if_link.h.
template <typename Say>
void Links::set_port(int index, const std::string& name, Say&& say) {
  std::unique_ptr<nl_msg, PutMessage> message(::nlmsg_alloc_simple(RTM_SETLINK, 0));
  if (!message) throw sys_error(ENOMEM, "cannot describe a network link");
  ifinfomsg head{};
  head.ifi_family = AF_BRIDGE;
  head.ifi_index = index;
  check(::nlmsg_append(message.get(), &head, sizeof head, NLMSG_ALIGNTO), "describe", name);
  nlattr* port = ::nla_nest_start(message.get(), IFLA_PROTINFO | NLA_F_NESTED);
  if (!port) throw sys_error(ENOMEM, "cannot describe a network link");
  check(say(message.get()), "describe", name);
  ::nla_nest_end(message.get(), port);
  // nl_send_sync frees the message, even when it fails.
  check(::nl_send_sync(socket_.get(), message.release()), "attach", name);
}

void Links::guard(const std::string& name) {
  failpoint(Point::netlink);
  guard_link(socket_.get(), index_of(name), name);
}

bool Links::is_guarded(const std::string& name) const {
  int index = index_of(name);
  return index != 0 && net::is_guarded(socket_.get(), index);
}

void Links::give_address(int index, const Link& link) {
  auto local = parse(link.address, AF_INET);
  std::unique_ptr<rtnl_addr, PutAddress> address(::rtnl_addr_alloc());
  if (!address) throw sys_error(ENOMEM, "cannot describe an address");
  ::rtnl_addr_set_ifindex(address.get(), index);
  int code = ::rtnl_addr_set_local(address.get(), local.get());
  if (code == 0) code = ::rtnl_addr_add(socket_.get(), address.get(), 0);
  if (code != -NLE_EXIST) check(code, "give an address to", link.name);
}

void Links::remove(const std::string& name) {
  int index = index_of(name);
  if (index == 0) return;
  failpoint(Point::netlink);
  LinkPtr which = checked(::rtnl_link_alloc());
  ::rtnl_link_set_ifindex(which.get(), index);
  int code = ::rtnl_link_delete(socket_.get(), which.get());
  if (code == -NLE_OBJ_NOTFOUND || code == -NLE_NODEV) return;
  check(code, "remove", name);
}

// libnl deletes no group: rtnetlink(7), IFLA_GROUP of a RTM_DELLINK without an index.
void Links::remove_group(unsigned group) {
  failpoint(Point::netlink);
  std::unique_ptr<nl_msg, PutMessage> message(::nlmsg_alloc_simple(RTM_DELLINK, 0));
  if (!message) throw sys_error(ENOMEM, "cannot describe a network link");
  ifinfomsg head{};
  const std::string name = fmt::format("group {}", group);
  check(::nlmsg_append(message.get(), &head, sizeof head, NLMSG_ALIGNTO), "describe", name);
  check(::nla_put_u32(message.get(), IFLA_GROUP, group), "describe", name);
  int code = ::nl_send_sync(socket_.get(), message.release());
  if (code == -NLE_OBJ_NOTFOUND || code == -NLE_NODEV) return;
  check(code, "remove", name);
}

void Links::set_group(int index, unsigned group) {
  LinkPtr which = checked(::rtnl_link_alloc()), change = checked(::rtnl_link_alloc());
  ::rtnl_link_set_ifindex(which.get(), index);
  ::rtnl_link_set_group(change.get(), group);
  int code = ::rtnl_link_change(socket_.get(), which.get(), change.get(), 0);
  if (code != -NLE_OBJ_NOTFOUND && code != -NLE_NODEV)
    check(code, "regroup", fmt::format("of index {}", index));
}

void Links::remove_all(const std::vector<std::string>& names, unsigned group) {
  if (names.size() == 1) return remove(names.front());
  bool any = false;
  for (const std::string& name : names)
    if (int index = index_of(name)) {
      if (!any) failpoint(Point::netlink);
      set_group(index, group);
      any = true;
    }
  if (any) remove_group(group);
}

namespace {

struct PutCallback {
  void operator()(nl_cb* c) const { ::nl_cb_put(c); }
};

// libnl's own description of a link leaves a tap's owner out.
int add_seen(nl_msg* message, void* to) {
  nlattr* all[IFLA_MAX + 1] = {};
  if (::nlmsg_parse(::nlmsg_hdr(message), sizeof(ifinfomsg), all, IFLA_MAX, nullptr) < 0 ||
      !all[IFLA_IFNAME])
    return NL_OK;
  Links::Seen seen;
  seen.name = ::nla_get_string(all[IFLA_IFNAME]);
  auto* head = static_cast<ifinfomsg*>(::nlmsg_data(::nlmsg_hdr(message)));
  seen.index = head->ifi_index;
  seen.up = (head->ifi_flags & IFF_UP) != 0;
  if (all[IFLA_CARRIER]) seen.carrier = ::nla_get_u8(all[IFLA_CARRIER]) != 0;
  if (all[IFLA_MASTER]) seen.master = static_cast<int>(::nla_get_u32(all[IFLA_MASTER]));
  if (all[IFLA_GROUP]) seen.group = ::nla_get_u32(all[IFLA_GROUP]);
  nlattr* info[IFLA_INFO_MAX + 1] = {};
  if (all[IFLA_LINKINFO] &&
      ::nla_parse_nested(info, IFLA_INFO_MAX, all[IFLA_LINKINFO], nullptr) == 0 &&
      info[IFLA_INFO_KIND]) {
    seen.kind = ::nla_get_string(info[IFLA_INFO_KIND]);
    nlattr* tap[IFLA_TUN_MAX + 1] = {};
    if (seen.kind == "tun" && info[IFLA_INFO_DATA] &&
        ::nla_parse_nested(tap, IFLA_TUN_MAX, info[IFLA_INFO_DATA], nullptr) == 0 &&
        tap[IFLA_TUN_OWNER])
      seen.owner = ::nla_get_u32(tap[IFLA_TUN_OWNER]);
  }
  static_cast<std::vector<Links::Seen>*>(to)->push_back(std::move(seen));
  return NL_OK;
}

} // namespace

std::vector<Links::Seen> Links::all() { return dump(AF_UNSPEC); }

std::vector<Links::Seen> Links::ports() { return dump(AF_BRIDGE); }

std::vector<Links::Seen> Links::dump(int family) {
  std::vector<Seen> found;
  std::unique_ptr<nl_cb, PutCallback> callback(::nl_cb_alloc(NL_CB_DEFAULT));
  if (!callback) throw sys_error(ENOMEM, "cannot read the links");
  ::nl_cb_set(callback.get(), NL_CB_VALID, NL_CB_CUSTOM, add_seen, &found);
  int code = ::nl_rtgen_request(socket_.get(), RTM_GETLINK, family, NLM_F_DUMP);
  if (code >= 0) code = ::nl_recvmsgs(socket_.get(), callback.get());
  if (code < 0) throw failed("cannot read the links: {}", ::nl_geterror(code));
  return found;
}

namespace {

struct FreeCache {
  void operator()(nl_cache* c) const { ::nl_cache_free(c); }
};

// Calls `look` with each route of IPv4.
template <typename Look>
void each_route(nl_sock* socket, Look&& look) {
  nl_cache* raw = nullptr;
  if (int code = ::rtnl_route_alloc_cache(socket, AF_INET, 0, &raw); code < 0)
    throw failed("cannot read the routes: {}", ::nl_geterror(code));
  std::unique_ptr<nl_cache, FreeCache> cache(raw);
  for (nl_object* o = ::nl_cache_get_first(raw); o; o = ::nl_cache_get_next(o))
    look(reinterpret_cast<rtnl_route*>(o));
}

std::optional<Address> address_of(nl_addr* a) {
  if (!a || ::nl_addr_get_len(a) != 4) return {};
  uint32_t value = 0;
  std::memcpy(&value, ::nl_addr_get_binary_addr(a), sizeof value);
  return Address{ntohl(value)};
}

std::optional<Prefix> destination(rtnl_route* route) {
  nl_addr* dst = ::rtnl_route_get_dst(route);
  auto address = address_of(dst);
  if (!address || ::nl_addr_get_prefixlen(dst) == 0) return {};
  return Prefix{*address, static_cast<int>(::nl_addr_get_prefixlen(dst))};
}

// The indices of the links that it leads to.
std::vector<int> links_of(rtnl_route* route) {
  std::vector<int> all;
  for (int n = 0; n < ::rtnl_route_get_nnexthops(route); n++)
    if (int link = ::rtnl_route_nh_get_ifindex(::rtnl_route_nexthop_n(route, n)))
      all.push_back(link);
  return all;
}

// Empty: there is none.
std::string name_of(int index) {
  char name[IFNAMSIZ] = {};
  return index && ::if_indextoname(static_cast<unsigned>(index), name) ? name : "";
}

// A VPN takes everything by two routes of half of it each, which are not in its own way later.
constexpr int narrowest_half = 2;

bool leads_out(rtnl_route* route) {
  if (::rtnl_route_get_table(route) != RT_TABLE_MAIN || ::rtnl_route_get_type(route) != RTN_UNICAST)
    return false;
  auto to = destination(route);
  return !to || to->length < narrowest_half;
}

} // namespace

std::vector<Address> Links::gateways() {
  std::vector<Address> all;
  each_route(socket_.get(), [&](rtnl_route* route) {
    if (!leads_out(route)) return;
    for (int n = 0; n < ::rtnl_route_get_nnexthops(route); n++)
      if (auto by = address_of(::rtnl_route_nh_get_gateway(::rtnl_route_nexthop_n(route, n))))
        all.push_back(*by);
  });
  return all;
}

bool Links::is_local(Address address, const std::string& at) {
  const std::vector<int> link{at.empty() ? 0 : index_of(at)};
  bool found = false;
  each_route(socket_.get(), [&](rtnl_route* route) {
    auto to = destination(route);
    found = found || (to && ::rtnl_route_get_type(route) == RTN_LOCAL &&
                      overlap(*to, {address, 32}) && (at.empty() || links_of(route) == link));
  });
  return found;
}

std::vector<std::pair<Address, std::string>> Links::own_addresses() {
  std::vector<std::pair<Address, std::string>> all;
  each_route(socket_.get(), [&](rtnl_route* route) {
    auto to = destination(route);
    if (!to || to->length != 32 || ::rtnl_route_get_type(route) != RTN_LOCAL) return;
    for (int index : links_of(route))
      if (std::string name = name_of(index); !name.empty())
        all.emplace_back(to->address, std::move(name));
  });
  return all;
}

std::vector<Prefix> Links::routed(const std::string& but) {
  int left_out = index_of(but);
  std::vector<Prefix> all;
  each_route(socket_.get(), [&](rtnl_route* route) {
    auto to = destination(route);
    // A route that forbids a network, or throws it away, leads to nobody.
    if (!to || to->length < narrowest_half || ::rtnl_route_get_type(route) > RTN_MULTICAST) return;
    std::vector<int> links = links_of(route);
    if (left_out && links == std::vector<int>{left_out}) return;
    all.push_back(*to);
  });
  return merged(std::move(all));
}

namespace {

// Addresses of the outside that no host has a route of its own to, as likely as not.
constexpr const char* anybody[] = {"45.67.89.10", "198.97.190.10"};

struct CloseSocket {
  void operator()(nl_sock* s) const { ::nl_socket_free(s); }
};

// The index of the link by which the kernel would send to that address, by all of its rules and
// tables; 0: by none. libnl asks for whole tables only.
int link_towards(Address address) {
  std::unique_ptr<nl_sock, CloseSocket> asks(::nl_socket_alloc());
  if (!asks || ::nl_connect(asks.get(), NETLINK_ROUTE) < 0) return 0;
  ::nl_socket_disable_auto_ack(asks.get());
  std::unique_ptr<nl_msg, PutMessage> message(::nlmsg_alloc_simple(RTM_GETROUTE, 0));
  if (!message) throw sys_error(ENOMEM, "cannot ask for a route");
  rtmsg head{};
  head.rtm_family = AF_INET;
  head.rtm_dst_len = 32;
  if (::nlmsg_append(message.get(), &head, sizeof head, NLMSG_ALIGNTO) < 0 ||
      ::nla_put_u32(message.get(), RTA_DST, htonl(address.value)) < 0 ||
      ::nl_send_auto(asks.get(), message.get()) < 0)
    return 0;
  int found = 0;
  auto take = [](nl_msg* answer, void* to) -> int {
    rtnl_route* route = nullptr;
    if (::rtnl_route_parse(::nlmsg_hdr(answer), &route) < 0) return NL_STOP;
    std::vector<int> links = links_of(route);
    if (!links.empty() && ::rtnl_route_get_type(route) == RTN_UNICAST)
      *static_cast<int*>(to) = links.front();
    ::rtnl_route_put(route);
    return NL_OK;
  };
  ::nl_socket_modify_cb(asks.get(), NL_CB_VALID, NL_CB_CUSTOM, take, &found);
  ::nl_recvmsgs_default(asks.get()); // no route is an error, and no failure
  return found;
}

} // namespace

std::vector<std::string> Links::uplinks() {
  std::set<std::string> names;
  auto add = [&](int index) {
    if (std::string name = name_of(index); !name.empty()) names.insert(std::move(name));
  };
  each_route(socket_.get(), [&](rtnl_route* route) {
    if (!leads_out(route)) return;
    for (int index : links_of(route)) add(index);
  });
  for (const char* address : anybody) add(link_towards(parse_address("address", address)));
  return {names.begin(), names.end()};
}

} // namespace banger::net

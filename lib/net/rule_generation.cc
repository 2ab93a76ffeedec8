#include "net/rule_generation.h"

#include <memory>

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

namespace banger::net {

namespace {

struct Close {
  void operator()(nl_sock* s) const { ::nl_socket_free(s); }
};

int take_generation(nl_msg* message, void* to) {
  const nlattr* id = ::nlmsg_find_attr(::nlmsg_hdr(message), sizeof(nfgenmsg), NFTA_GEN_ID);
  if (id && ::nla_len(id) == sizeof(uint32_t))
    *static_cast<uint32_t*>(to) = ntohl(::nla_get_u32(id));
  return NL_OK;
}

} // namespace

uint32_t rule_generation() {
  std::unique_ptr<nl_sock, Close> socket(::nl_socket_alloc());
  if (!socket || ::nl_connect(socket.get(), NETLINK_NETFILTER) < 0) return 0;
  nfgenmsg about{};
  about.nfgen_family = AF_UNSPEC;
  about.version = NFNETLINK_V0;
  uint32_t generation = 0;
  ::nl_socket_disable_auto_ack(socket.get());
  ::nl_socket_modify_cb(socket.get(), NL_CB_VALID, NL_CB_CUSTOM, take_generation, &generation);
  if (::nl_send_simple(socket.get(), NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN, 0, &about,
                       sizeof about) < 0 ||
      ::nl_recvmsgs_default(socket.get()) < 0)
    return 0;
  return generation;
}

} // namespace banger::net

#include "net/link_guard.h"

#include <cerrno>
#include <cstring>
#include <memory>

#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "core/error.h"

namespace banger::net {

namespace {

constexpr uint32_t parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS), priority = 1, handle = 1;
constexpr const char* kind = "bpf";

// The frame's first six bytes are its destination.
constexpr sock_filter stamped_alone[] = {
    {BPF_LD | BPF_W | BPF_ABS, 0, 0, 0}, {BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0},
    {BPF_LD | BPF_H | BPF_ABS, 0, 0, 4}, {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0},
    {BPF_RET | BPF_K, 0, 0, TC_ACT_OK},  {BPF_RET | BPF_K, 0, 0, TC_ACT_SHOT},
};

struct PutMessage {
  void operator()(nl_msg* m) const { ::nlmsg_free(m); }
};
struct PutCallback {
  void operator()(nl_cb* c) const { ::nl_cb_put(c); }
};
using Message = std::unique_ptr<nl_msg, PutMessage>;

// libnl describes no such filter: tc-bpf(8), linux/pkt_cls.h.
Message message_of(int type, int flags, const tcmsg& head) {
  Message message(::nlmsg_alloc_simple(type, flags));
  tcmsg copy = head;
  if (!message || ::nlmsg_append(message.get(), &copy, sizeof copy, NLMSG_ALIGNTO) < 0)
    throw sys_error(ENOMEM, "cannot describe a filter");
  return message;
}

void must(int code) {
  if (code < 0) throw sys_error(ENOMEM, "cannot describe a filter");
}

int find_guard(nl_msg* message, void* found) {
  nlattr *all[TCA_MAX + 1] = {}, *own[TCA_BPF_MAX + 1] = {};
  auto* head = static_cast<tcmsg*>(::nlmsg_data(::nlmsg_hdr(message)));
  if (::nlmsg_parse(::nlmsg_hdr(message), sizeof(tcmsg), all, TCA_MAX, nullptr) < 0 ||
      TC_H_MAJ(head->tcm_info) >> 16 != priority || !all[TCA_KIND] || !all[TCA_OPTIONS] ||
      std::strcmp(::nla_get_string(all[TCA_KIND]), kind) != 0 ||
      ::nla_parse_nested(own, TCA_BPF_MAX, all[TCA_OPTIONS], nullptr) < 0)
    return NL_OK;
  nlattr *flags = own[TCA_BPF_FLAGS], *ops = own[TCA_BPF_OPS];
  if (flags && (::nla_get_u32(flags) & TCA_BPF_FLAG_ACT_DIRECT) && ops &&
      ::nla_len(ops) == static_cast<int>(sizeof stamped_alone) &&
      std::memcmp(::nla_data(ops), stamped_alone, sizeof stamped_alone) == 0)
    *static_cast<bool*>(found) = true;
  return NL_OK;
}

} // namespace

void guard_link(nl_sock* socket, int index, const std::string& name) {
  tcmsg at{};
  at.tcm_family = AF_UNSPEC;
  at.tcm_ifindex = index;
  at.tcm_parent = TC_H_CLSACT;
  at.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
  Message place = message_of(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, at);
  must(::nla_put_string(place.get(), TCA_KIND, "clsact"));
  // nl_send_sync frees the message, even when it fails.
  int code = ::nl_send_sync(socket, place.release());
  if (code >= 0 || code == -NLE_EXIST) {
    at.tcm_parent = parent;
    at.tcm_handle = handle;
    at.tcm_info = TC_H_MAKE(priority << 16, htons(ETH_P_ALL));
    Message filter = message_of(RTM_NEWTFILTER, NLM_F_CREATE, at);
    must(::nla_put_string(filter.get(), TCA_KIND, kind));
    nlattr* options = ::nla_nest_start(filter.get(), TCA_OPTIONS);
    if (!options) must(-1);
    must(::nla_put_u16(filter.get(), TCA_BPF_OPS_LEN, std::size(stamped_alone)));
    must(::nla_put(filter.get(), TCA_BPF_OPS, sizeof stamped_alone, stamped_alone));
    must(::nla_put_u32(filter.get(), TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT));
    ::nla_nest_end(filter.get(), options);
    code = ::nl_send_sync(socket, filter.release());
  }
  if (code < 0)
    throw preflight("cannot guard the network link '{}': {}", name, ::nl_geterror(code))
        .hint("the kernel needs CONFIG_NET_CLS_BPF and CONFIG_NET_SCH_INGRESS");
}

bool is_guarded(nl_sock* socket, int index) {
  tcmsg at{};
  at.tcm_family = AF_UNSPEC;
  at.tcm_ifindex = index;
  at.tcm_parent = parent;
  bool found = false;
  std::unique_ptr<nl_cb, PutCallback> callback(::nl_cb_alloc(NL_CB_DEFAULT));
  if (!callback) throw sys_error(ENOMEM, "cannot read filters");
  ::nl_cb_set(callback.get(), NL_CB_VALID, NL_CB_CUSTOM, find_guard, &found);
  Message ask = message_of(RTM_GETTFILTER, NLM_F_DUMP, at);
  if (::nl_send_auto(socket, ask.get()) < 0 || ::nl_recvmsgs(socket, callback.get()) < 0)
    return false; // a kernel without filters knows not even the question
  return found;
}

} // namespace banger::net

#include "net/flow_watch.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "core/error.h"
#include "net/plan.h"

namespace banger::net {

namespace {

constexpr size_t most_drops = 16, most_traces = 4096;
constexpr int receive_bytes = 4 << 20; // a trace has some ten messages a packet

int on_message(nl_msg* message, void* to) {
  static_cast<std::vector<std::string>*>(to)->emplace_back(
      reinterpret_cast<const char*>(::nlmsg_hdr(message)), ::nlmsg_hdr(message)->nlmsg_len);
  return NL_OK;
}

struct TraceEvent {
  uint32_t id = 0;
  FlowDrop at;
  bool drops = false;
};

const char* family_name(uint8_t family) {
  switch (family) {
  case NFPROTO_INET:
    return "inet";
  case NFPROTO_IPV4:
    return "ip";
  case NFPROTO_BRIDGE:
    return "bridge";
  case NFPROTO_NETDEV:
    return "netdev";
  default:
    return "?";
  }
}

std::optional<TraceEvent> parse_trace(const std::string& message) {
  auto* header = reinterpret_cast<const nlmsghdr*>(message.data());
  if (header->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE)) return {};
  std::array<nlattr*, NFTA_TRACE_MAX + 1> a{};
  if (::nlmsg_parse(const_cast<nlmsghdr*>(header), sizeof(nfgenmsg), a.data(), NFTA_TRACE_MAX,
                    nullptr) < 0 ||
      !a[NFTA_TRACE_ID] || !a[NFTA_TRACE_TABLE] || !a[NFTA_TRACE_CHAIN] || !a[NFTA_TRACE_TYPE])
    return {};
  auto number = [](nlattr* attribute) { return ntohl(::nla_get_u32(attribute)); };
  TraceEvent event;
  event.id = number(a[NFTA_TRACE_ID]);
  event.at.family = family_name(static_cast<const nfgenmsg*>(::nlmsg_data(header))->nfgen_family);
  event.at.table = ::nla_get_string(a[NFTA_TRACE_TABLE]);
  event.at.chain = ::nla_get_string(a[NFTA_TRACE_CHAIN]);
  uint32_t type = number(a[NFTA_TRACE_TYPE]);
  if (type == NFT_TRACETYPE_POLICY && a[NFTA_TRACE_POLICY]) {
    event.drops = number(a[NFTA_TRACE_POLICY]) == NF_DROP;
  } else if (type == NFT_TRACETYPE_RULE && a[NFTA_TRACE_VERDICT]) {
    std::array<nlattr*, NFTA_VERDICT_MAX + 1> v{};
    if (::nla_parse_nested(v.data(), NFTA_VERDICT_MAX, a[NFTA_TRACE_VERDICT], nullptr) == 0 &&
        v[NFTA_VERDICT_CODE])
      event.drops = number(v[NFTA_VERDICT_CODE]) == NF_DROP;
    if (a[NFTA_TRACE_RULE_HANDLE])
      event.at.handle = be64toh(::nla_get_u64(a[NFTA_TRACE_RULE_HANDLE]));
  }
  return event;
}

} // namespace

void FlowWatch::Close::operator()(nl_sock* s) const { ::nl_socket_free(s); }

FlowWatch::FlowWatch(const std::string& tag, int tap, const Port& to)
    : tag_(tag), table_(fmt::format("{}_watch{}", table_name(tag), tap)),
      trace_(::nl_socket_alloc()) {
  check_flow(to);
  if (!trace_) throw sys_error(ENOMEM, "cannot open netlink");
  int code = ::nl_connect(trace_.get(), NETLINK_NETFILTER);
  if (code == 0) code = ::nl_socket_add_membership(trace_.get(), NFNLGRP_NFTRACE);
  if (code == 0) code = ::nl_socket_set_nonblocking(trace_.get());
  if (code < 0) throw failed("cannot follow packets: {}", ::nl_geterror(code));
  ::nl_socket_set_buffer_size(trace_.get(), receive_bytes, 0);
  ::nl_socket_disable_seq_check(trace_.get());
  if (!rules_.list("inet", table_).empty())
    throw conflict("somebody looks at the packets of '{}' already", tap_name(tag, tap));
  rules_.apply(watch_rules(table_, tap_name(tag, tap), to));
}

FlowWatch::~FlowWatch() = default;

FlowSeen FlowWatch::look() {
  std::vector<std::string> messages;
  ::nl_socket_modify_cb(trace_.get(), NL_CB_VALID, NL_CB_CUSTOM, on_message, &messages);
  while (messages.size() < most_traces)
    if (::nl_recvmsgs_default(trace_.get()) < 0) break; // nothing more, or some of it was lost
  for (const std::string& message : messages) {
    auto event = parse_trace(message);
    if (!event) continue;
    // Another may be tracing too.
    if (event->at.table == table_) own_.push_back(event->id);
    if (event->drops && std::ranges::count(own_, event->id) > 0 &&
        std::ranges::count(seen_.drops, event->at) == 0 && seen_.drops.size() < most_drops)
      seen_.drops.push_back(event->at);
  }
  FlowSeen now = seen_;
  for (const char* family : {"bridge", "inet"}) add_counts(rules_.list(family, table_), now);
  now.own_rules = !rules_.list("bridge", table_name(tag_)).empty() &&
                  !rules_.list("inet", table_name(tag_)).empty();
  return now;
}

} // namespace banger::net

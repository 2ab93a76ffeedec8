#include "net/rule_changes.h"

#include <cerrno>
#include <iterator>

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "core/error.h"

namespace banger::net {

namespace {

// As its bytes lie in a message, which a filter loads as a number of the network's order.
constexpr uint32_t word(const char (&text)[5]) {
  uint32_t value = 0;
  for (int i = 0; i < 4; i++) value = value << 8 | static_cast<unsigned char>(text[i]);
  return value;
}

// A transaction ends with one message of its own: nlmsghdr (16 bytes), nfgenmsg (4), the number of
// the generation (8), the process (8), and the process's name, behind 4 bytes of its attribute.
constexpr uint32_t type_at = 4, name_at = 40;
// A part of it would be all that those hear who listen behind this socket: they have one copy in
// common, which a filter cuts for all.
constexpr uint32_t whole = 0xffff'ffff;

} // namespace

Fd open_rule_changes() {
  Fd changes(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER));
  if (!changes) throw sys_error(errno, "cannot open netlink");
  const uint32_t ended = htons(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN);
  // The helper's own are no news. A name is told in whole words, so each of its words is there
  // where the one before is as long.
  const sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, type_at),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ended, 0, 6),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, name_at),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, word("bang"), 0, 5),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, name_at + 4),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, word("er-h"), 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, name_at + 8),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, word("elpe"), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, whole),
  };
  const sock_fprog filter{std::size(program), const_cast<sock_filter*>(program)};
  const int on = 1, group = NFNLGRP_NFTABLES;
  sockaddr_nl any{};
  any.nl_family = AF_NETLINK;
  // The filter first: nothing else is ever in the socket.
  if (::setsockopt(changes.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0 ||
      ::setsockopt(changes.get(), SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof on) != 0 ||
      ::bind(changes.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) != 0 ||
      ::setsockopt(changes.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0)
    throw sys_error(errno, "cannot follow the changes of rules");
  return changes;
}

// More than a socket holds is told by an error, and is no more than a change.
void hear_changes(int changes) {
  char byte = 0;
  while (::recv(changes, &byte, sizeof byte, MSG_DONTWAIT) >= 0 || errno == ENOBUFS ||
         errno == EINTR) {
  }
}

} // namespace banger::net

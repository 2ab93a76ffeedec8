// A second wall behind the rules of a bridge, for while those are missing: whoever flushes all
// rules of a host (`nft flush ruleset`, a restart of nftables.service) closes the bridge by it, and
// opens nothing.
//
// A filter of traffic control, which no firewall touches, stands at the bridge and lets in what the
// bridge's rules have stamped as they let it in themselves: frames to 00:00:00:00:00:00. No frame
// of a guest gets in as one of those: a bridge takes in what is to a MAC of its own or of its
// ports, which is never that one, or to a group.
#pragma once

#include <string>
#include <string_view>

struct nl_sock;

namespace banger::net {

inline constexpr std::string_view stamp_mac = "00:00:00:00:00:00";

// `socket` is one of rtnetlink. Idempotent. Throws Error(preflight) where the kernel has no such
// filter (CONFIG_NET_CLS_BPF).
void guard_link(nl_sock* socket, int index, const std::string& name);
bool is_guarded(nl_sock* socket, int index);

} // namespace banger::net

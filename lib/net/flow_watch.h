// Looks how far packets of one flow get through this host, to and from a VM on a bridge, and which
// chain of nftables drops them, whoever owns it. With root's rights (helper/ask.h).
//
// The places are counted by chains of its own, first and last at each hook; what drops is told by
// the kernel's trace of those packets. Two tables, `bridge` and `inet`, named by tag and tap. They
// are this process's own: they go with it, however it ends. A packet passes them as if they were
// not there.
//
// A chain of iptables-legacy has no trace: what it drops is seen at a hook's begin and not at its
// end.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "net/flow.h"
#include "net/rules.h"

struct nl_sock;

namespace banger::net {

// `to`: protocol, address (host_address) and port (host) that the flow goes to: somebody's outside,
// or the VM's own.
class FlowWatch {
public:
  // It watches when this returns. Throws Error(usage) for what is no flow, Error(conflict) where
  // another watches that tap.
  FlowWatch(const std::string& tag, int tap, const Port& to);
  FlowWatch(const FlowWatch&) = delete;
  FlowWatch& operator=(const FlowWatch&) = delete;
  ~FlowWatch();
  // What was seen until now.
  FlowSeen look();

private:
  struct Close {
    void operator()(nl_sock* s) const;
  };
  std::string tag_, table_;
  Rules rules_;
  std::unique_ptr<nl_sock, Close> trace_;
  FlowSeen seen_;
  std::vector<uint32_t> own_; // the traces of its own packets
};

} // namespace banger::net

// The resolver of a shared network (ops/net/resolver.h), kept: begun where it is missing, ended
// with the network.
//
// The caller has net.lock and has read the record. A change of the resolver is written to the
// record before, or at once after, it is made.
#pragma once

#include <functional>
#include <vector>

#include "net/holder.h"
#include "ops/common/context.h"
#include "ops/net/record.h"
#include "sys/process.h"

namespace banger::ops {

class ResolverKeeper {
public:
  // The services of the network that it belongs to.
  struct Network {
    NetMode mode{}; // of the VMs in it
    // The sockets at port 53 of the bridge's address.
    std::function<net::NameSockets(NetRecord& r)> sockets;
    // Ends the network's processes that are in no record.
    std::function<void(const NetRecord& r)> end_strays;
    // What a resolver that keeps the network whole hears (ops/net/bridge_mender.h); empty where it
    // has nothing to keep.
    std::function<Fd()> changes = {};
  };
  ResolverKeeper(Context& ctx, Network network) : ctx_(ctx), network_(std::move(network)) {}

  // Makes a resolver answer in the network. With `may_do_without` (a VM's start) a failure is only
  // logged, and where no guest was told of a resolver, guests are told that of their way out. Else
  // one that guests were told of is made to answer, or the Error is thrown.
  void find(NetRecord& r, bool may_do_without);
  void end(NetRecord& r);
  // Reaps the resolvers that have ended.
  void reap();

private:
  void ensure(NetRecord& r);
  Fd find_changes();

  Context& ctx_;
  Network network_;
  std::vector<sys::Child> children_; // that this process must reap
};

} // namespace banger::ops

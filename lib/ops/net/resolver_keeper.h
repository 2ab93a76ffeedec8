// The resolver of a private network (ops/net/resolver.h), kept: begun where it is missing, ended
// with the network.
//
// Whoever calls has net.lock and has read the record. What changes of the resolver in it is written
// down before, or at once after.
#pragma once

#include <functional>
#include <vector>

#include "ops/common/context.h"
#include "ops/net/record.h"
#include "sys/process.h"

namespace banger::ops {

class ResolverKeeper {
public:
  // What it asks of the network that it belongs to.
  struct Network {
    NetMode mode{}; // of the VMs in it
    // Does what asks its holder; where that one does not answer, its successor is asked.
    std::function<void(NetRecord& r, const std::function<void()>& ask)> with_holder;
    // Ends whatever works for it and is in no record.
    std::function<void(const NetRecord& r)> end_strays;
  };
  ResolverKeeper(Context& ctx, Network network) : ctx_(ctx), network_(std::move(network)) {}

  // Has one answer in the network. Names never keep a VM from starting: it may do without. Where no
  // guest was told of one it is told that of its way out then; else it waits for the same as the
  // others do, who bring it back. Who may not gets what kept it from that as an Error.
  void find(NetRecord& r, bool may_do_without);
  void end(NetRecord& r);
  // Those that have ended since.
  void reap();

private:
  void ensure(NetRecord& r);

  Context& ctx_;
  Network network_;
  std::vector<sys::Child> children_; // that this process must reap
};

} // namespace banger::ops

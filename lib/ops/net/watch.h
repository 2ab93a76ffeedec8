// A monitor's eye on the private network: when its holder or slirp4netns dies, it is repaired.
// Every monitor of a VM in it does the same; the first to take net.lock repairs, the others find
// it done.
#pragma once

#include "ops/net/private_net.h"
#include "sys/loop.h"

namespace banger::ops {

class NetWatch {
public:
  NetWatch(Context& ctx, PrivateNet& net, sys::Loop& loop) : ctx_(ctx), net_(net), loop_(loop) {}

  // From now on; what is dead already is repaired at once.
  void begin();
  // No more. Before the VM leaves the network, whose end must not look like a death.
  void end();

private:
  bool follow(Fd& fd, const ProcessId& id);
  void on_death();

  Context& ctx_;
  PrivateNet& net_;
  sys::Loop& loop_;
  Fd holder_, slirp_;
  bool watching_ = false;
};

} // namespace banger::ops

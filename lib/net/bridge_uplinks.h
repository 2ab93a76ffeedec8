// The links that forward to a bridge, and their setting: by which guests go out, and where a port
// of theirs is published. A link that did not forward before does so until no bridge needs it.
#pragma once

#include <string>
#include <vector>

#include "net/bridge_registry.h"
#include "net/links.h"
#include "net/rules.h"

namespace banger::net {

// The caller holds the registry's lock in each call.
class BridgeUplinks {
public:
  BridgeUplinks(BridgeRegistry& registry, Links& links, Rules& rules)
      : registry_(registry), links_(links), rules_(rules) {}
  // Makes the entry's those that the host has now, and gives back what is none any more. True: they
  // are others than before. Where the record may have been lost, the rules tell which did not
  // forward before the bridge.
  bool find(RegisteredBridge& entry, bool record_may_be_lost);
  // The same, and has them forward.
  bool follow(RegisteredBridge& entry, bool record_may_be_lost);
  void give_back(const Uplink& uplink, const std::string& tag);

private:
  std::vector<std::string> with_ports(const Bridge& bridge);

  BridgeRegistry& registry_;
  Links& links_;
  Rules& rules_;
};

} // namespace banger::net

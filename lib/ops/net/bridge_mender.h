// What another program takes of the state's bridge by rules (`nft flush ruleset`, a firewall's
// reload), made good by the helper at once, for as long as VMs run on it. It belongs to the
// bridge's resolver, which lives that long.
//
// It costs a descriptor and no look at a clock: it sleeps until the kernel tells that another
// program changed rules (net/rule_changes.h). Then it has the helper look, at once where it has
// been quiet, and the more often somebody changes rules, the more seldom: once in a minute at last.
#pragma once

#include <string>

#include "core/clock.h"
#include "core/log.h"
#include "model/settings.h"
#include "sys/loop.h"

namespace banger::ops {

class BridgeMender {
public:
  // `link`: the index of the bridge that the resolver's sockets are at. Where the bridge had to be
  // made anew those hear nothing any more, and the loop is stopped.
  BridgeMender(sys::Loop& loop, Log& log, const Dirs& dirs, std::string tag, int link, Fd changes);
  ~BridgeMender();
  BridgeMender(const BridgeMender&) = delete;
  BridgeMender& operator=(const BridgeMender&) = delete;

private:
  void on_change();
  void mend();

  sys::Loop& loop_;
  Log& log_;
  const Dirs& dirs_;
  std::string tag_;
  int link_;
  Fd changes_;
  Millis pause_;      // after a look, before the next
  SteadyTime next_{}; // no look before that
};

} // namespace banger::ops

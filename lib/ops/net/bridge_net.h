// The host's network (`bridge`): a bridge in the host's own network namespace, on which each VM has
// its tap, and which the host and its LAN reach by address. There from `banger net up` to `banger
// net down` (ops/net/bridge.h), over reboots of the host too.
//
//   banger-helper (helper/ask.h) makes bridge, taps and rules with root's rights, each time anew
//   banger-resolver               answers guests' DNS (ops/net/resolver.h), from the first VM to
//   the
//                                 last
//   VMMs                          in the host's namespace, each on its tap, which is the user's
//
// Every call takes net.lock while it changes what VMs share, reads the record, and leaves it true.
// What the record does not tell the helper knows by itself.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "helper/client.h"
#include "net/bridge_plan.h"
#include "ops/common/context.h"
#include "ops/net/place.h"
#include "ops/net/record.h"
#include "ops/net/resolver_keeper.h"
#include "sys/lock.h"

namespace banger::ops {

class BridgeNet : public NetPlace {
public:
  static constexpr NetMode mode = NetMode::bridge;

  explicit BridgeNet(Context& ctx);
  BridgeNet(const BridgeNet&) = delete;
  BridgeNet& operator=(const BridgeNet&) = delete;

  // Also sets its reach: its address. Error(preflight) where the bridge was never up.
  void lease(std::string_view doing, const std::optional<std::string>& ip, Vm& vm) override;
  // Error(preflight) where the bridge is down, Error(conflict) where it has another subnet than the
  // VM's address. After a reboot of the host the bridge is made again.
  void attach(Vm& vm) override;
  void bring(const Vm& vm) override;
  void repair(const Vm& vm) override;
  void leave(const Vm& vm) override;
  void tidy() override;
  Attachment attachment(const Vm& vm, bool way_out) override;
  // The bridge's address.
  std::string resolver(const Vm& vm) override;
  // The resolver. Links and rules have no process: who takes those away finds them made again at
  // the next start.
  std::vector<ProcessId> keepers(const Vm& vm) override;
  void add_forward(const Vm& vm, const Port& port) override;
  void remove_forward(const Vm& vm, const Port& port) override;

private:
  helper::Client helper() const;
  void join(NetRecord& r, const Vm& vm);
  void note_link(NetRecord& r, int link);
  void leave_locked(NetRecord& r, const std::vector<std::string>& vms); // their ids
  void end_strays(const NetRecord& r);
  sys::FileLock lock() const { return sys::FileLock::take(net_lock(ctx_.dirs)); }

  Context& ctx_;
  ResolverKeeper resolver_;
};

} // namespace banger::ops

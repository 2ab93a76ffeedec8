// Bridges in the network namespace that this process is in, made true with root's rights: what the
// helper does (helper/ask.h). Each call may be killed at any point; the next one finishes or
// undoes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/handle.h"
#include "net/bridge_faults.h"
#include "net/bridge_plan.h"
#include "net/bridge_registry.h"
#include "net/bridge_traces.h"
#include "net/bridge_uplinks.h"
#include "net/flow_watch.h"
#include "net/links.h"
#include "net/rules.h"

namespace banger::net {

class BridgeHost {
public:
  // Works on behalf of that user: Error(conflict) for a tag that is another's, Error(usage) for
  // what no banger asks for.
  explicit BridgeHost(unsigned uid, BridgeLimits limits = {})
      : uid_(uid), limits_(std::move(limits)) {}
  // What did not keep a call from succeeding, for people.
  const std::vector<std::string>& warnings() const { return warnings_; }

  // Makes the bridge whole. Without a subnet it keeps its own, or gets one that is free. Throws
  // Error(conflict) for a subnet that the host has a route to, or while guests have another.
  // `state`: the directory of the state (net/bridge_registry.h).
  Bridge up(const std::string& tag, const std::optional<Subnet>& subnet,
            const std::string& state = {});
  // Error(not_found) where the bridge is down, Error(conflict) where another VM has the address or
  // a port.
  void join(const std::string& tag, const BridgeGuest& guest);
  void leave(const std::string& tag, const std::vector<int>& taps);
  // Of a VM that has joined; Error(conflict) as join().
  void publish(const std::string& tag, int tap, const Port& port, bool on);
  void nat(const std::string& tag, int tap, bool on);
  void down(const std::string& tag);
  // The index of the bridge; 0: there is none.
  int link_of(const std::string& tag) const;
  Fd name_socket(const std::string& tag, const std::string& proto);
  struct Seen {
    bool up = false;
    std::vector<std::string> uplinks; // by which guests go out
    BridgeCounts counts;
    std::vector<BridgeFault> faults; // what `up` would make good
    std::vector<int> taps;           // of the guests that it has
  };
  Seen look(const std::string& tag);
  // Makes the bridge whole where it lacks rules, and which; Error(not_found) where it is down.
  std::vector<BridgeFault> mend(const std::string& tag);
  // For his processes (net/rule_changes.h); Error(not_found) as mend().
  Fd rule_changes(const std::string& tag);
  // What the host has of the tag, and the bridges of this user.
  BridgeTraces find_traces(const std::string& tag);
  // Removes what it has of the tag and the record does not tell of. Error(conflict) where a tap of
  // it is another user's.
  void sweep(const std::string& tag);
  // Of a VM that has joined; Error(conflict) where none has. Holds no lock.
  std::unique_ptr<FlowWatch> watch(const std::string& tag, int tap, const Port& to);

private:
  std::optional<RegisteredBridge> find(const std::string& tag);
  RegisteredBridge get(const std::string& tag);
  std::string for_users() const;
  void check_subnet(const RegisteredBridge& entry);
  void check_guest(const RegisteredBridge& entry, const BridgeGuest& guest);
  void make(RegisteredBridge& entry);
  bool is_whole(const RegisteredBridge& entry);
  void look_back(const RegisteredBridge& entry);
  uint32_t all_ours() const;
  void finished(RegisteredBridge& entry);
  void take_away(const RegisteredBridge& entry);
  std::vector<Prefix> needed(const std::string& tag);
  void route_loopback(const Bridge& bridge);
  void pass_firewalls(RegisteredBridge& entry);
  void amend(const std::string& tag, int tap, const std::function<void(BridgeGuest&)>& how);
  void change(RegisteredBridge& entry, int tap, const BridgeGuest& guest);
  void finish(RegisteredBridge& entry, const std::string& script);

  unsigned uid_;
  BridgeLimits limits_; // of users other than root
  BridgeRegistry registry_;
  std::vector<std::string> warnings_;
  Links links_;
  Rules rules_;
  BridgeUplinks uplinks_{registry_, links_, rules_};
  // The kernel's count of changes when rules were last looked at, the count of ours then, and since
  // when all are ours.
  uint32_t generation_ = 0, applied_ = 0, since_ = 0;
};

} // namespace banger::net

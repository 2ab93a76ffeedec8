// `banger net up` and `banger net down`: the state's bridge as a wish that outlives a reboot.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "helper/client.h"
#include "model/subnet.h"
#include "ops/common/context.h"
#include "ops/net/record.h"

namespace banger::ops {

// Whether the state's bridge is up, or is made again by the next start.
bool bridge_is_wanted(state::State& state);
// The same, and not only for a process that borrowed it: new VMs are made on it.
bool bridge_is_default(state::State& state);
// The subnet of its bridge, also while that is down; none where it never was up.
std::optional<Subnet> bridge_subnet(state::State& state);
// Error(conflict) for an address of a VM's that is none of the bridge's subnet; its hint tells how
// to have the address's own again.
Error of_another_subnet(const std::string& address, int prefix, const Subnet& subnet);
// Throws that where an address that a VM had is of another subnet.
void require_bridge_subnet(Context& ctx, const std::string& address, int prefix);

struct BridgeUp {
  Subnet subnet;
  std::string bridge;               // its name
  std::vector<std::string> uplinks; // empty: guests have no way out now
  bool changed = false;             // it was down, or had another subnet
};
// Makes the bridge whole. `subnet` empty: the one that it has, or had, else a free one. Throws
// Error(conflict) where VMs have addresses of another subnet than that, Error(preflight) without
// the rights for it.
BridgeUp net_up(Context& ctx, const std::optional<Subnet>& subnet);
// Removes it with all that belongs to it; false: it was down. Throws Error(conflict) that names the
// VMs that run on it.
bool net_down(Context& ctx);

// The bridge for this process, for a while: one that is up is taken as it is, and one that is not
// is up until give_back_bridge(), or until this process has died: then it goes with the last VM
// that leaves it, or by the next command. `banger net up` meanwhile makes it the user's. Throws as
// net_up().
BridgeUp borrow_bridge(Context& ctx);
void give_back_bridge(Context& ctx);
// Makes the bridge whole, and brings back to it the VMs at work that root's record of it has lost,
// but the one with that id. The caller holds net.lock.
helper::Client::Up make_bridge(Context& ctx, const NetRecord& record,
                               const std::optional<Subnet>& subnet, const std::string& but = {});
net::BridgeGuest guest_of(const Vm& vm, int tap);
// Whether it is up for processes alone that have all died or given it back.
bool is_loan_over(state::State& state);
// Removes it, whoever wants it. The caller holds net.lock; no VM is on it.
void take_bridge_down(Context& ctx, NetRecord& record);

} // namespace banger::ops

// The state's private network (`user`): a network namespace with a bridge, on which each VM has its
// tap and a way out of its own; made for the first VM, gone with the last.
//
//   holder (banger-netns)  in the namespace: keeps it there, makes links and rules, relays the
//                          published ports of UDP
//   banger-resolver        in the host's namespaces: answers guests' DNS (ops/net/resolver.h)
//   slirp4netns, a VM each in the host's namespaces, its tap in this one: the VM's way out, and
//                          its published ports of TCP (ops/net/way_out.h)
//   VMMs                   in the namespace, each on its tap
//
// The VMMs are started inside (libexec/banger/banger-enter) and not given an open tap. So the
// namespace lives as long as any VMM, even if the holder dies, and can be entered again through
// /proc/PID/ns; and a VMM that knows taps only by name (Firecracker) fits the same place.
//
// Every call takes net.lock while it changes what VMs share, reads the record, and leaves it true.
// If a call is killed at any point, the next one finishes or undoes it. A holder that does not
// answer in its time gets a successor.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "net/plan.h"
#include "ops/common/context.h"
#include "ops/net/place.h"
#include "ops/net/record.h"
#include "ops/net/resolver_keeper.h"
#include "ops/net/way_out.h"
#include "sys/lock.h"
#include "sys/namespace.h"
#include "sys/process.h"

namespace banger::ops {

class PrivateNet : public NetPlace {
public:
  // The mode of the VMs that are in it.
  static constexpr NetMode mode = NetMode::user;

  explicit PrivateNet(Context& ctx);
  PrivateNet(const PrivateNet&) = delete;
  PrivateNet& operator=(const PrivateNet&) = delete;

  void lease(std::string_view doing, const std::optional<std::string>& ip, Vm& vm) override;
  // Its tap and its way out, the network too where it is missing, and its ports.
  void attach(Vm& vm) override;
  void bring(const Vm& vm) override;
  void repair(const Vm& vm) override;
  // After the last VM the network goes. For a VM that is not in it this waits for no lock.
  void leave(const Vm& vm) override;
  // Also for VMs in the record whose row has gone. A network of a build that guarded its way out
  // otherwise is brought up to date. Where another process holds net.lock the network is left
  // alone, and the next command does it.
  void tidy() override;
  // The tap that attach() or bring() made, read from the record without a lock.
  Attachment attachment(const Vm& vm, bool way_out) override;
  // The bridge's address, where a resolver answers for this state; else that of the VM's way out.
  std::string resolver(const Vm& vm) override;
  // Holder, resolver and slirp4netns. A process whose starter died half-way counts as missing.
  std::vector<ProcessId> keepers(const Vm& vm) override;
  void add_forward(const Vm& vm, const Port& port) override;
  void remove_forward(const Vm& vm, const Port& port) override;

private:
  void ensure(NetRecord& r, const std::string& subnet);
  void start_holder(NetRecord& r, bool anew, const std::optional<sys::Namespaces>& where);
  std::optional<sys::Namespaces> find_inside(const NetRecord& r);
  void reap();
  net::NameSockets name_sockets(NetRecord& r);
  void with_holder(NetRecord& r, const std::function<void()>& ask);
  // A VM in the network, whose way out may be missing.
  struct Member {
    int tap = 0;
    bool was_there = false; // it was a member already
    bool shares = false;    // it shares the way out that an earlier build gave to all
    ProcessId holder;
    sys::Namespaces where;
  };
  // `anew`: a place that it had before is not kept.
  Member enter(const Vm& vm, bool anew);
  void start_way_of(const Vm& vm, const Member& member);
  bool shares_way(const NetRecord& r, const Vm& vm, const WayOut& own) const;
  void end_shared_way(NetRecord& r);
  // The socket of the slirp4netns that serves it; empty: none does.
  std::string slirp_of(const NetRecord& r, const Vm& vm) const;
  void add_one(NetRecord& r, const Vm& vm, const net::Forward& forward);
  void add_relays_again(const NetRecord& r);
  // Drops the VM's forwards for which `which` is true, as far as holder and slirp4netns live.
  void drop_forwards(NetRecord& r, const Vm& vm,
                     const std::function<bool(const net::Forward&)>& which);
  void leave_locked(NetRecord& r, const Vm& vm);
  void cut_log(const NetRecord& r);
  void tear_down(NetRecord& r);
  void end_strays(const NetRecord& r);
  sys::FileLock lock() const { return sys::FileLock::take(net_lock(ctx_.dirs)); }

  Context& ctx_;
  std::vector<sys::Child> children_; // that this process must reap
  ResolverKeeper resolver_;
};

// The forwards that a VM's row asks for: ssh first.
std::vector<net::Forward> forwards_of(const Vm& vm);

} // namespace banger::ops

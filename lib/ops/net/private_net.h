// The state's private network (`user`): a network namespace with a bridge, the VMs' taps and
// slirp4netns as its way out; made for the first VM, gone with the last.
//
//   holder (banger-netns)  in the namespace: keeps it there, makes links and rules, relays the
//                          published ports of UDP
//   slirp4netns            in the host's namespaces, its tap in this one: the way out, and the
//                          published ports of TCP
//   VMMs                   in the namespace, each on its tap
//
// The VMMs are started inside (libexec/banger/banger-enter) and not given an open tap: so the
// namespace lives as long as any of them, whatever becomes of the holder, and can be entered again
// through /proc/PID/ns; and a VMM that knows taps only by name (Firecracker) fits the same place.
//
// Every call takes net.lock for its time, reads the record, and leaves it true. Killed at any
// point, the next call finishes or undoes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "net/plan.h"
#include "ops/common/context.h"
#include "ops/net/record.h"
#include "sys/lock.h"
#include "sys/namespace.h"
#include "sys/process.h"

namespace banger::ops {

class PrivateNet {
public:
  PrivateNet(Context& ctx, std::string libexec) : ctx_(ctx), libexec_(std::move(libexec)) {}

  // The VM's tap in the network, made where it is missing, and the network too. Again after each
  // end of a VMM: a tap is there already then.
  void join(const Vm& vm);
  struct Joined {
    std::string tap;
    sys::Namespaces where; // for the VMM's start
  };
  // What join() or forward() made, as the record has it: waits for nobody.
  Joined where(const Vm& vm);
  // Its ssh and its published ports on the host: chosen, recorded in the row, forwarded. Forwards
  // that it had are replaced. Error(conflict) when a published one is taken.
  void forward(Vm& vm);
  // Ports of a VM that runs here. The row is the caller's.
  void add_forward(const Vm& vm, const Port& port);
  void remove_forward(const Vm& vm, const Port& port);
  // Tap and forwards away; after the last VM, the network. A VM that is not in it is no failure,
  // and waits for nobody.
  void leave(const Vm& vm);
  // The same for every VM in the record that is not there any more, or does not run. A network of a
  // build that guarded its way out otherwise is brought up to date. Nothing where another is at
  // work on the network: the next command will do it.
  void tidy();
  // Holder and slirp4netns back, where one is gone while VMs are in the network, with all forwards
  // that were its own.
  void repair();

  // Who must live; empty: there is no network, or who began it died half-way.
  struct Keepers {
    ProcessId holder, slirp;
  };
  Keepers keepers();

private:
  void ensure(NetRecord& r, const std::string& subnet);
  void start_holder(NetRecord& r, bool anew, const std::optional<sys::Namespaces>& where);
  void start_slirp(NetRecord& r, const sys::Namespaces& where);
  std::optional<sys::Namespaces> find_inside(const NetRecord& r);
  void reap();
  void ensure_tap(NetRecord& r, const Vm& vm);
  void add_one(const NetRecord& r, const net::Forward& forward);
  void add_again(const NetRecord& r, bool relayed);
  // All of which `which` is true, as far as holder and slirp4netns live.
  void drop_forwards(const NetRecord& r, const std::function<bool(const net::Forward&)>& which);
  void leave_locked(NetRecord& r, const Vm& vm);
  void cut_log(const NetRecord& r);
  void tear_down(NetRecord& r);
  void end_strays(const NetRecord& r);
  sys::FileLock lock() const { return sys::FileLock::take(net_lock(ctx_.dirs)); }

  Context& ctx_;
  std::string libexec_;
  std::vector<sys::Child> children_; // that this process must reap
};

// What a VM's row says shall be forwarded: ssh first.
std::vector<net::Forward> forwards_of(const Vm& vm);

} // namespace banger::ops

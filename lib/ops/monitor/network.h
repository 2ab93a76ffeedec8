// A VM's network as its monitor sees to it: joined before the VMM is started, watched over while it
// runs, left at its end. Nothing here waits.
//
// Where a network's place makes others wait (net.lock, the holder's and slirp4netns's answers),
// that is done by libexec/banger/banger-place, a Helper: another VM's start may hold net.lock for
// as long as slirp4netns takes to come up. It works in the VM's runtime directory: whoever settles
// a VM whose monitor died ends all that works there first.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/handle.h"
#include "ops/common/context.h"
#include "ops/monitor/helper.h"
#include "ops/net/nature.h"
#include "ops/net/place.h"
#include "sys/loop.h"
#include "vmm/driver.h"

namespace banger::ops {

class Network {
public:
  // What is complained of goes to `errors`. `outbound`: the VM has a way out, where a setting
  // decides about that.
  Network(Context& ctx, sys::Loop& loop, const Vm& vm, bool outbound, int errors);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // Chooses the VM's ports on the host, forwards them, records them in its row, and makes its tap.
  void prepare(vmm::Done done);
  // Tap and way out, where they are missing: what a guest's reboot finds may have gone meanwhile.
  void join(vmm::Done done);
  // How the machine is attached, and the namespace that its VMM is started in. After one of the
  // above; `vm` is the row since then.
  using Place = NetPlace::Attachment;
  Place place(const Vm& vm);
  // The resolver that the guest is told. After prepare().
  std::string resolver(const Vm& vm) { return place_->resolver(vm); }
  // From now on: keepers of its place that die are brought back. prepare() ends that, join()
  // begins it anew.
  void watch();
  // Gives back what prepare() made, also when that was not done to its end. Error(timeout) when
  // `patience` has passed: what is left is given back by tidy(). Again: begun anew, and the `done`
  // of before is not called.
  void leave(Millis patience, vmm::Done done);
  // No helper of this works any more.
  void end();

private:
  void act(const char* what, Millis patience, vmm::Done done);
  void ask(const char* what, Millis patience, vmm::Done done);
  bool follow(const ProcessId& id);
  void look_after();
  void forget_keepers();

  Context& ctx_;
  sys::Loop& loop_;
  std::string vm_, runtime_;
  const NetNature& nature_;
  std::unique_ptr<NetPlace> place_;
  bool outbound_;
  int errors_;
  std::unique_ptr<Helper> helper_;
  std::vector<Fd> keepers_;
  bool watching_ = false;
  sys::Loop::Timer again_ = 0;
};

} // namespace banger::ops

// A VM's network as its monitor sees to it: joined before the VMM is started, watched over while it
// runs, left at its end. No call waits.
//
// Acts that may wait (for net.lock, the holder or slirp4netns) are done by
// libexec/banger/banger-place, a Helper: another VM's start may hold net.lock for a while. The
// helper works in the VM's runtime directory. A command that settles a VM whose monitor died first
// ends all processes there.
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
  // The helper's error output goes to `errors`. `outbound`: the VM has a way out, where a setting
  // decides about that.
  Network(Context& ctx, sys::Loop& loop, const Vm& vm, bool outbound, int errors);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // Chooses the VM's ports on the host, forwards them, records them in its row, and makes its tap.
  void prepare(vmm::Done done);
  // Makes tap and way out where they are missing: they may have gone before a guest's reboot.
  void join(vmm::Done done);
  // How the machine is attached, and the namespace that its VMM is started in. Called after
  // prepare() or join(), with the row `vm` as it is since then.
  using Place = NetPlace::Attachment;
  Place place(const Vm& vm);
  // The resolver that the guest is told. After prepare().
  std::string resolver(const Vm& vm) { return place_->resolver(vm); }
  // From now on: keepers of its place that die are brought back. prepare() ends that, join()
  // begins it anew.
  void watch();
  // Gives back the VM's place, also after a prepare() that was broken off. Error(timeout) when
  // `patience` has passed: NetPlace::tidy() gives the rest back later. A second call begins anew,
  // and the first one's `done` is never called.
  void leave(Millis patience, vmm::Done done);
  // Ends the helper that works, and watches no more.
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

// A VM's network as its monitor sees to it: joined before the VMM is started, watched over while it
// runs, left at its end. Nothing here waits.
//
// What the shared network needs (net.lock, the holder's and slirp4netns's answers) is done by
// libexec/banger/banger-place, a Helper: another VM's start may hold net.lock for as long as
// slirp4netns takes to come up. It works in the VM's runtime directory: whoever settles a VM whose
// monitor died ends all that works there first.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/handle.h"
#include "ops/common/context.h"
#include "ops/monitor/helper.h"
#include "sys/loop.h"
#include "sys/namespace.h"
#include "vmm/driver.h"

namespace banger::ops {

class Network {
public:
  // What is complained of goes to `errors`. `outbound`: an isolated VM may reach out.
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
  struct Place {
    vmm::Net net;
    std::optional<sys::Namespaces> where;
  };
  Place place(const Vm& vm);
  // From now on: holder or slirp4netns that die are brought back. prepare() ends that, join()
  // begins it anew.
  void watch();
  // Gives back what prepare() made, also when that was not done to its end.
  void leave(vmm::Done done);
  // No helper of this works any more.
  void end();

private:
  void ask(const char* what, Millis patience, vmm::Done done);
  bool follow(Fd& fd, const ProcessId& id);
  void look_after();
  void forget_keepers();

  Context& ctx_;
  sys::Loop& loop_;
  std::string vm_, runtime_;
  bool shared_, outbound_;
  int errors_;
  std::unique_ptr<Helper> helper_;
  Fd holder_, slirp_;
  bool watching_ = false;
  sys::Loop::Timer again_ = 0;
};

} // namespace banger::ops

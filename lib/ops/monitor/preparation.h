// Makes all that a VM needs before its VMM can be started, step by step on the loop: the monitor's
// clients are heard meanwhile. Destroying this object ends the steps that are under way.
//
//   state key   banger-guest keygen, where the state has none yet
//   host key    banger-guest await, where the VM has none yet
//   network     Network::prepare
//   root disk   banger-place map, where device-mapper shows it
//   files       when those are there: the pinned host key, and the initrd with the VM's seed in the
//               runtime directory
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "guest/identity/endpoint.h"
#include "guest/identity/keys.h"
#include "ops/common/context.h"
#include "ops/common/places.h"
#include "ops/link/link.h"
#include "ops/monitor/helper.h"
#include "ops/monitor/network.h"
#include "ops/monitor/readiness.h"
#include "vmm/machine.h"

namespace banger::ops {

struct Prepared {
  Vm vm;                    // its row as it is now
  vmm::Machine machine;     // without its network: Network::place
  guest::Endpoint endpoint; // where its readiness is asked
  bool grows = false;       // its init has a file system to make as large as its disk
};

class Preparation {
public:
  using Done = std::function<void(std::expected<Prepared, Error>)>;

  // `done` is called once, from the loop, and may destroy this. It gets Error(conflict) for a
  // published port that is taken, or the Error of any other step. After a failure all that was made
  // goes with the runtime directory, Network::leave and unmapping. Programs' error output goes to
  // `errors`.
  Preparation(Context& ctx, sys::Loop& loop, const MonitorRequest& request, const Places& places,
              const Vm& vm, Readiness& readiness, Network& network, int errors, Done done);
  // Ends what is under way, and leaves nothing of it but in the runtime directory and the network.
  ~Preparation();
  Preparation(const Preparation&) = delete;
  Preparation& operator=(const Preparation&) = delete;

private:
  void find_state_key();
  void find_host_key();
  void map_root();
  void step_done(std::optional<Error> fault);
  std::optional<Error> pin();
  void go_on();
  void end(std::expected<Prepared, Error> how);
  Prepared make_files();

  Context& ctx_;
  sys::Loop& loop_;
  const MonitorRequest& request_;
  const Places& places_;
  Vm vm_;
  Readiness& readiness_;
  Network& network_;
  int errors_;
  Done done_;
  std::unique_ptr<Helper> keygen_, pinner_, mapper_;
  std::string authorized_; // the state's public key, as a line
  std::optional<guest::KeyPair> host_key_;
  bool is_new_key_ = false;
  int open_steps_ = 4;
};

// The target of the kernel's link (vmm::Machine). A bundle that was built anew may have removed the
// kernel that this VM boots, which is open as `kernel`: then the runtime directory has a copy, and
// the answer is empty.
std::string keep_kernel(const Places& places, const std::string& path, int kernel);

// A host key that was made for a boot is not on the disk yet. This writes that of a VM that was
// ready to the disk: its clients have seen it.
void keep_host_key(const Places& places);

// The pinned endpoint of a VM that was prepared before.
guest::Endpoint endpoint_of(const Dirs& dirs, const Places& places, const Vm& vm);

} // namespace banger::ops

// Everything a VM needs before its VMM can be started, made step by step on the loop: whoever asks
// the monitor meanwhile is heard, and dropping this object ends what is under way.
//
//   state key   banger-guest keygen, where the state has none yet
//   host key    banger-guest await, where the VM has none yet
//   network     Network::prepare
//   files       when those are there: the pinned host key, initrd with the VM's seed, and links to
//               kernel, disks and console in the runtime directory
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

  // `done` is called once, from the loop, and may destroy this: Error(conflict) for a published
  // port that is taken, and whatever else went wrong. What was made is removed with the runtime
  // directory, and by Network::leave. Complaints of the programs go to `errors`.
  Preparation(Context& ctx, sys::Loop& loop, const MonitorRequest& request, const Places& places,
              const Vm& vm, Readiness& readiness, Network& network, int errors, Done done);
  Preparation(const Preparation&) = delete;
  Preparation& operator=(const Preparation&) = delete;

private:
  void find_state_key();
  void find_host_key();
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
  std::unique_ptr<Helper> keygen_, pinner_;
  std::string authorized_; // the state's public key, as a line
  std::optional<guest::KeyPair> host_key_;
  bool is_new_key_ = false;
  int open_steps_ = 3;
};

// A host key that was made for a boot is not on the disk yet. Of a VM that was ready it is kept:
// its clients have seen it.
void keep_host_key(const Places& places);

// The pinned endpoint of a VM that was prepared before.
guest::Endpoint endpoint_of(const Dirs& dirs, const Places& places, const Vm& vm);

} // namespace banger::ops

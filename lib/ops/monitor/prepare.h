// Everything a VM needs in its runtime directory before its VMM can be started.
#pragma once

#include <functional>

#include "guest/identity/endpoint.h"
#include "guest/identity/keys.h"
#include "ops/common/context.h"
#include "ops/common/places.h"
#include "ops/link/link.h"
#include "ops/net/private_net.h"
#include "vmm/machine.h"

namespace banger::ops {

struct Prepared {
  vmm::Machine machine;
  guest::Endpoint endpoint; // where its readiness is asked
  bool grows = false;       // its init has a file system to make as large as its disk
};

// Joins the network, chooses and records the VM's ports on the host, makes its ssh keys where
// missing and pins the host key, and fills the runtime directory: kernel, root and console as
// links, initrd with the VM's seed. Throws Error(conflict) for a published port that is taken; what
// it made is removed with the runtime directory. Returns what to boot; the row is up to date then.
//
// A host key that is made here (by `make_key`) is not on the disk yet: keep_host_key sees to it
// that a VM which was ready keeps its own.
Prepared prepare_boot(Context& ctx, PrivateNet& net, const MonitorRequest& request,
                      const Places& places, Vm& vm,
                      const std::function<guest::KeyPair()>& make_key);
bool has_host_key(const Places& places);
void keep_host_key(const Places& places);

// The pinned endpoint of a VM that was prepared before.
guest::Endpoint endpoint_of(const Dirs& dirs, const Places& places, const Vm& vm);

} // namespace banger::ops

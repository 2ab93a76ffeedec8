#include "ops/monitor/limits.h"

#include "core/error.h"
#include "model/rate_limit.h"
#include "ops/monitor/disks.h"

namespace banger::ops {

void Limits::change(const std::string& words, const Reply& reply) {
  try {
    VmState state = row_.vm().state;
    if (!vmm_ || (state != VmState::running && state != VmState::paused))
      throw conflict("it is not running");
    RateLimits limits = limits_of_words(words);
    if (limits.net && !vmm_.can().limits_net)
      throw conflict("its VMM, '{}', does not limit a network", name_of(row_.vm().vmm))
          .hint("--vmm firecracker, when a VM is made, has one that does");
    set(limits, [this, limits, reply](std::optional<Error> fault) {
      try {
        if (fault) throw std::move(*fault);
        row_.limited(limits);
      } catch (const Error& e) {
        enforce();
        return reply.refuse(e);
      }
      if (prepared_) prepared_->machine.disks = disks_of(places_, limits);
      if (prepared_) prepared_->machine.net_limit = limits.net;
      reply.done();
    });
  } catch (const Error& e) {
    reply.refuse(e);
  }
}

void Limits::enforce() {
  set(row_.vm().limits, [this](const std::optional<Error>& fault) {
    if (fault) log_.warn("monitor.limits", *fault);
  });
}

void Limits::set(const RateLimits& limits, vmm::Done done) {
  std::optional<RateLimit> net;
  if (vmm_.can().limits_net) net = limits.net;
  vmm_.running().limit(disks_of(places_, limits), net, std::move(done));
}

} // namespace banger::ops

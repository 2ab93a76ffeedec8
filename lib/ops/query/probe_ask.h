// What a probe waits for: connections of this host's, and what a guest is asked over ssh. Both end
// with the VM, which may be stopped while somebody waits for it.
#pragma once

#include <optional>
#include <string>

#include "core/handle.h"
#include "model/vm.h"
#include "ops/query/probe_guest.h"
#include "sys/process.h"

namespace banger::ops {

class ProbeAsk {
public:
  // `vm` outlives this. One that has no VMM yet is waited for like any other.
  explicit ProbeAsk(const Vm& vm);
  // How this host gets there by TCP. Takes seconds where nothing answers. Throws as require_vm().
  Heard connect(const std::string& address, int port) const;
  // What a program prints to whom `input` is given; what it printed until then where it does not
  // end in time. Throws as require_vm().
  std::string run(const sys::Command& command, const std::string& input) const;
  // Throws Error(conflict) once the VM's VMM has ended.
  void require_vm() const;

private:
  const Vm& vm_;
  std::optional<Fd> vmm_; // readable when it has ended
};

} // namespace banger::ops

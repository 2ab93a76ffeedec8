// The options that say what a VM shall be, common to create and run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/verb.h"
#include "model/settings.h"
#include "model/vm.h"

namespace banger::vm {

struct SpecOptions {
  std::optional<std::string> image, cpus, memory, disk, root, net, vmm, accel;
  std::vector<std::string> labels, publish;
  bool dry_run = false;

  void declare(cli::Spec& spec);
  // Throws Error(usage) for what cannot be.
  VmSpec to_spec(const std::string& name, const Settings& settings) const;
};

// "[ADDR:]HOST:GUEST[/udp]". Without an address it is the VM's own loopback address.
Port parse_publish(const std::string& text);

} // namespace banger::vm

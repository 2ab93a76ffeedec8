// The options that say what a VM shall be, common to create and run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/verb.h"
#include "model/settings.h"
#include "model/vm.h"
#include "ops/vm/create.h"

namespace banger::vm {

struct SpecOptions {
  std::optional<std::string> image, cpus, memory, disk, root, work_disk, work_mount, net, ip, vmm,
      accel;
  std::vector<std::string> labels, publish;
  bool dry_run = false;

  void declare(cli::Spec& spec);
  // Throws Error(usage) for what cannot be.
  VmSpec to_spec(const std::string& name, const Settings& settings) const;
};

// Sizes beyond these are typing errors.
inline constexpr int64_t most_memory = int64_t{1} << 44, most_disk = int64_t{1} << 44;
int parse_cpus(const std::string& text);

// What --dry-run says of a VM.
void say_plan(ops::Context& ctx, const ops::CreatePlan& plan);

} // namespace banger::vm

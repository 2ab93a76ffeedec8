// The options that say what a VM shall be, common to create and run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/app.h"
#include "cli/verb.h"
#include "model/settings.h"
#include "model/vm.h"
#include "ops/vm/create.h"

namespace banger::tool {

struct SpecOptions {
  std::string image; // empty: not given
  std::optional<int> cpus;
  std::optional<int64_t> memory, disk, work_disk;
  std::optional<RootWay> root;
  std::optional<std::string> work_mount, ip;
  std::optional<NetMode> net;
  std::optional<VmmKind> vmm;
  std::optional<Accel> accel;
  std::vector<std::vector<Port>> publish; // as each was given
  std::vector<LimitChange> limits;
  std::vector<std::pair<std::string, std::string>> labels;
  bool dry_run = false;

  void declare(cli::Spec& spec);
  // With the settings where nothing was given. Throws Error(usage) for options that cannot be.
  VmSpec to_spec(const std::string& name, const Settings& settings) const;
  // Throws Error(usage) for an option that only one VM can have.
  void require_for_several() const;
};

// --limit, for whoever makes a VM or changes one.
cli::Option limit_option(std::vector<LimitChange>& limits);

// The result of having made a VM, or of a dry run.
cli::Done created(bool dry_run);

// Prints the plan of a VM, for --dry-run.
void say_plan(ops::Context& ctx, const ops::CreatePlan& plan);

} // namespace banger::tool

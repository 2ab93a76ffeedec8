#include "ops/vm/set.h"
#include "banger-vm/selection.h"
#include "banger-vm/session.h"
#include "banger-vm/spec_options.h"
#include "banger-vm/verbs.h"

namespace banger::vm {

namespace {

struct Set : cli::Verb {
  Selection which;
  std::optional<std::string> cpus, memory, disk, work_disk, jobs;
  std::vector<std::string> labels, unlabel;

  void declare(cli::Spec& spec) override {
    spec.options = {
        {"--cpus", "N", "virtual cpus", "", {}, {}, &cpus},
        {"--memory", "SIZE", "memory", "", {}, {}, &memory},
        {"--disk", "SIZE", "grow the root disk to this size", "", {}, {}, &disk},
        {"--work-disk", "SIZE", "grow the work disk to this size", "", {}, {}, &work_disk},
        {"--label", "KEY=VALUE", "attach a label, or change it", "", {}, {}, &labels},
        {"--unlabel", "KEY", "take a label off", "", {}, {}, &unlabel},
        jobs_option(jobs)};
    which.declare(spec, "VM to change", false);
  }

  int run(cli::App& app) override {
    ops::VmChange change;
    if (cpus) change.cpus = parse_cpus(*cpus);
    if (memory) change.memory = parse_size("memory", *memory, most_memory);
    if (disk) change.disk = parse_size("disk size", *disk, most_disk);
    if (work_disk) change.work_disk = parse_size("work disk size", *work_disk, most_disk);
    for (const std::string& l : labels) {
      auto [key, value] = parse_label(l);
      change.labels[key] = value;
    }
    change.unlabel = unlabel;
    if (!change.needs_stopped() && change.labels.empty() && change.unlabel.empty())
      throw usage("nothing to change").hint("see 'banger vm set --help'");
    auto query = which.query();
    Session session(app);
    return session.on_each("set", ops::select_vms(session.ctx, query), jobs,
                           [&](ops::Context& ctx, const std::string& name) -> cli::Done {
                             return {std::string(name_of(ops::set_vm(ctx, name, change).state))};
                           });
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_set() { return std::make_unique<Set>(); }

} // namespace banger::vm

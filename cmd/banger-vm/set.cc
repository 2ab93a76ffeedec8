#include "ops/vm/set.h"
#include "banger-vm/batch.h"
#include "banger-vm/selection.h"
#include "banger-vm/spec_options.h"
#include "banger-vm/verbs.h"
#include "cli/kinds.h"

namespace banger::tool {

namespace {

struct Set : cli::Verb {
  Selection which;
  ops::VmChange change;
  std::vector<std::pair<std::string, std::string>> labels;
  std::optional<size_t> jobs;

  void declare(cli::Spec& spec) override {
    namespace kinds = cli::kinds;
    spec.options = {{.flags = "--cpus",
                     .value = "N",
                     .help = "virtual cpus",
                     .target = {kinds::cpus, &change.cpus}},
                    {.flags = "--memory",
                     .value = "SIZE",
                     .help = "memory",
                     .target = {kinds::memory, &change.memory}},
                    {.flags = "--disk",
                     .value = "SIZE",
                     .help = "grow the root disk to this size",
                     .target = {kinds::disk, &change.disk}},
                    {.flags = "--work-disk",
                     .value = "SIZE",
                     .help = "grow the work disk to this size",
                     .target = {kinds::disk, &change.work_disk}},
                    {.flags = "--net",
                     .value = "MODE",
                     .help = "its network from the next start on: user or isolated",
                     .target = {kinds::net_mode(), &change.net}},
                    limit_option(change.limits),
                    {.flags = "--label",
                     .value = "KEY=VALUE",
                     .help = "attach a label, or change it",
                     .target = {cli::As<parse_label>{}, &labels}},
                    {.flags = "--unlabel",
                     .value = "KEY",
                     .help = "take a label off",
                     .target = &change.unlabel},
                    jobs_option(jobs)};
    which.declare(spec, "VM to change", false);
  }

  int run(cli::App& app) override {
    for (const auto& [key, value] : labels) change.labels[key] = value;
    if (!change.needs_stopped() && change.limits.empty() && change.labels.empty() &&
        change.unlabel.empty())
      throw usage("nothing to change").hint("see 'banger vm set --help'");
    auto query = which.query();
    Batch batch(app);
    return batch.on_each("set", query, jobs,
                         [&](ops::Context& ctx, const std::string& name) -> cli::Done {
                           auto [vm, changed] = ops::set_vm(ctx, name, change);
                           cli::Done done{name_of(vm.state), changed};
                           done.said = changed ? "changed" : "unchanged";
                           if (!changed) ctx.notice(fmt::format("'{}' was so already", vm.name));
                           return done;
                         });
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_set() { return std::make_unique<Set>(); }

} // namespace banger::tool

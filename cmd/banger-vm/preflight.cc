#include "ops/vm/preflight.h"
#include "banger-vm/verbs.h"
#include "cli/app.h"
#include "cli/checks.h"
#include "cli/kinds.h"
#include "ops/common/open.h"

namespace banger::tool {

namespace {

struct Preflight : cli::Verb {
  std::string name;
  std::optional<std::string> image;
  std::optional<int64_t> memory;

  void declare(cli::Spec& spec) override {
    spec.options = {{.flags = "--image",
                     .value = "IMAGE",
                     .help = "for a new VM from this image",
                     .fallback = "the bundle's",
                     .complete = cli::Complete::images,
                     .target = &image},
                    {.flags = "--memory",
                     .value = "SIZE",
                     .help = "for a new VM with this much memory",
                     .fallback = "512M",
                     .target = {cli::kinds::memory, &memory}}};
    spec.operands = {{.name = "NAME",
                      .help = "VM that is to be started",
                      .required = false,
                      .complete = cli::Complete::vms,
                      .target = &name}};
  }

  int run(cli::App& app) override {
    if (!name.empty() && (memory || image))
      throw usage("a name goes with neither --image nor --memory")
          .hint("--image and --memory describe a VM that is still to be made");
    VmSpec wanted;
    wanted.image = image.value_or("");
    wanted.memory = memory.value_or(app.settings.vm_memory);
    wanted.vmm = app.settings.vm_vmm;
    wanted.accel = app.settings.vm_accel;
    ops::Reading in(app.settings, app.dirs);
    std::vector<ops::Check> checks;
    if (name.empty()) {
      checks = ops::check_new(in, wanted);
    } else {
      Vm vm = in.state.get_vm(name);
      checks = ops::check_start(in, vm);
      if (!is_live(vm.state)) checks.push_back(ops::check_published(vm)); // else they are its own
    }
    cli::CheckPrinter printer(app);
    for (const ops::Check& c : checks) printer.add(c.id, name_of(c.verdict), c.found, c.fix);
    return printer.finish();
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_preflight() { return std::make_unique<Preflight>(); }

} // namespace banger::tool

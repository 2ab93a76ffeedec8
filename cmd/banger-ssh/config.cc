// banger ssh config
#include "ops/ssh/config.h"
#include "banger-ssh/verbs.h"
#include "cli/app.h"
#include "model/wire.h"
#include "model/zone.h"
#include "ops/common/open.h"

namespace banger::tool {

namespace {

struct Config : cli::Verb {
  bool install = false;

  void declare(cli::Spec& spec) override {
    spec.options = {
        {.flags = "--install",
         .help = "write it into the state's directory and print the line that includes it",
         .target = &install}};
  }

  int run(cli::App& app) override {
    ops::Reading in(app.settings, app.dirs);
    if (install) ops::install_ssh_config(in);
    auto vms = in.state.vms();
    if (app.out.json) {
      for (const Vm& vm : vms)
        app.out.object_text("vm", to_text(vm, app.dirs, app.settings.dns_zone));
    } else if (install) {
      app.out.line(ops::ssh_include_line(app.dirs));
      app.notice(fmt::format("put this line at the top of ~/.ssh/config, then 'ssh {}' works",
                             full_name("NAME", app.settings.dns_zone)));
    } else if (app.out.quiet) {
      for (const Vm& vm : vms) app.out.line(vm.name);
    } else {
      app.out.bytes(ops::ssh_config(vms, app.dirs, app.settings.dns_zone));
    }
    return 0;
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_config() { return std::make_unique<Config>(); }

} // namespace banger::tool

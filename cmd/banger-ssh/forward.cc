// banger ssh forward
#include <nlohmann/json.hpp>

#include "banger-ssh/verbs.h"
#include "cli/app.h"
#include "ops/common/open.h"
#include "ops/ssh/forward.h"

namespace banger::tool {

namespace {

struct ForwardPorts : cli::Verb {
  std::string name;
  std::vector<ops::LocalForward> forwards;

  void declare(cli::Spec& spec) override {
    spec.operands = {
        {.name = "NAME", .help = "the VM", .complete = cli::Complete::vms, .target = &name},
        {.name = "PORT",
         .help = "[[ADDRESS:]LOCAL:]PORT, the guest's port last",
         .target = {cli::As<ops::parse_forward>{}, &forwards}}};
  }

  int run(cli::App& app) override {
    ops::Reading in(app.settings, app.dirs);
    ops::ssh_forward(in, name, forwards,
                     [&](const std::string& vm, const std::vector<ops::LocalForward>& ready) {
                       for (const auto& f : ready) say(app, vm, f);
                       app.out.flush();
                     });
    return 0;
  }

  static void say(cli::App& app, const std::string& vm, const ops::LocalForward& f) {
    if (app.out.json)
      app.out.object("forward",
                     {{"vm", vm}, {"address", f.address}, {"port", f.port}, {"guest", f.guest}});
    else if (app.out.quiet)
      app.out.line(fmt::format("{}:{}", f.address, f.port));
    else
      app.out.line(fmt::format("{}:{} -> {}:{}", f.address, f.port, vm, f.guest));
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_forward() { return std::make_unique<ForwardPorts>(); }

} // namespace banger::tool

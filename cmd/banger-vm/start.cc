#include "banger-vm/session.h"
#include "banger-vm/verbs.h"
#include "ops/vm_start.h"

namespace banger::vm {

namespace {

struct Start : cli::Verb {
  std::vector<std::string> names;
  std::optional<std::string> timeout;
  bool no_wait = false;

  void declare(cli::Spec& spec) override {
    using cli::Complete;
    spec.options = {{"--timeout",
                     "DURATION",
                     "how long the guest may take to answer",
                     "60s",
                     Complete::nothing,
                     {},
                     &timeout},
                    {"--no-wait",
                     "",
                     "return as soon as the VMM was started",
                     "",
                     Complete::nothing,
                     {},
                     &no_wait}};
    spec.operands = {
        {"NAME", "VM to start; - reads names from standard input", true, Complete::vms, &names}};
  }

  int run(cli::App& app) override {
    ops::StartOptions options;
    options.wait = !no_wait;
    if (timeout) options.timeout = parse_duration("timeout", *timeout);
    std::vector<std::string> wanted = cli::read_names(names);
    Session session(app);
    return app.for_each("start", wanted, [&](const std::string& name) {
      std::string state(name_of(ops::start_vm(session.ctx, name, options).state));
      session.progress.done();
      return state;
    });
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_start() { return std::make_unique<Start>(); }

} // namespace banger::vm

#include "banger-vm/session.h"
#include "banger-vm/verbs.h"
#include "ops/vm_stop.h"

namespace banger::vm {

namespace {

struct Stop : cli::Verb {
  std::vector<std::string> names;
  std::optional<std::string> timeout;

  void declare(cli::Spec& spec) override {
    using cli::Complete;
    spec.options = {{"--timeout",
                     "DURATION",
                     "how long the guest may take before it is forced",
                     "10s",
                     Complete::nothing,
                     {},
                     &timeout}};
    spec.operands = {
        {"NAME", "VM to stop; - reads names from standard input", true, Complete::vms, &names}};
  }

  int run(cli::App& app) override {
    std::optional<Millis> patience;
    if (timeout) patience = parse_duration("timeout", *timeout);
    std::vector<std::string> wanted = cli::read_names(names);
    Session session(app);
    return app.for_each("stop", wanted, [&](const std::string& name) {
      std::string state(name_of(ops::stop_vm(session.ctx, name, patience).state));
      session.progress.done();
      return state;
    });
  }
};

struct Kill : cli::Verb {
  std::vector<std::string> names;

  void declare(cli::Spec& spec) override {
    spec.operands = {{"NAME", "VM to kill; - reads names from standard input", true,
                      cli::Complete::vms, &names}};
  }

  int run(cli::App& app) override {
    std::vector<std::string> wanted = cli::read_names(names);
    Session session(app);
    return app.for_each("kill", wanted, [&](const std::string& name) {
      return std::string(name_of(ops::kill_vm(session.ctx, name).state));
    });
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_stop() { return std::make_unique<Stop>(); }
std::unique_ptr<cli::Verb> make_kill() { return std::make_unique<Kill>(); }

} // namespace banger::vm

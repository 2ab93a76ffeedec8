#include "banger-vm/session.h"
#include "banger-vm/verbs.h"
#include "ops/vm_remove.h"

namespace banger::vm {

namespace {

struct Remove : cli::Verb {
  std::vector<std::string> names;
  bool force = false;

  void declare(cli::Spec& spec) override {
    using cli::Complete;
    spec.options = {
        {"-f,--force", "", "kill it first if it runs", "", Complete::nothing, {}, &force}};
    spec.operands = {
        {"NAME", "VM to remove; - reads names from standard input", true, Complete::vms, &names}};
  }

  int run(cli::App& app) override {
    std::vector<std::string> wanted = cli::read_names(names);
    Session session(app);
    return app.for_each("rm", wanted, [&](const std::string& name) {
      ops::remove_vm(session.ctx, name, force);
      return std::string("removed");
    });
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_rm() { return std::make_unique<Remove>(); }

} // namespace banger::vm

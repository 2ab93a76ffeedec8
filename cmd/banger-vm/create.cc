#include "banger-vm/session.h"
#include "banger-vm/spec_options.h"
#include "banger-vm/verbs.h"
#include "ops/vm_create.h"

namespace banger::vm {

namespace {

struct Create : cli::Verb {
  SpecOptions options;
  std::vector<std::string> names;

  void declare(cli::Spec& spec) override {
    options.declare(spec);
    spec.operands = {{"NAME", "name of the new VM", true, cli::Complete::nothing, &names}};
  }

  int run(cli::App& app) override {
    std::vector<std::string> wanted = cli::read_names(names);
    for (const std::string& n : wanted) options.to_spec(n, app.settings); // all good, or none made
    Session session(app);
    return app.for_each("create", wanted, [&](const std::string& name) -> std::string {
      VmSpec spec = options.to_spec(name, app.settings);
      if (options.dry_run) {
        ops::CreatePlan plan = ops::plan_create(session.ctx, spec);
        app.notice(fmt::format("'{}' would be made from '{}' by {}, {} large", name,
                               plan.image.name, name_of(plan.root.way),
                               format_size(plan.root.size)));
        return "absent";
      }
      return std::string(name_of(ops::create_vm(session.ctx, spec).state));
    });
  }
};

} // namespace

std::unique_ptr<cli::Verb> make_create() { return std::make_unique<Create>(); }

} // namespace banger::vm
